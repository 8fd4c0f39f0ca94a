/**
 * Proves that arbitrary logout tokens of a provider, signed well or not, end a session or are refused with a reason that is safe to
 * log (OpenID Connect Back-Channel Logout 1.0 §2.6).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { logged } from '../../../src/federation/failure.ts';
import { EVENT } from '../../support/logout-upstream.ts';
import { open, sign, start } from '../../support/oidc-stand-in.ts';

const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 0, -1, true, [], {}, [null], 'x'.repeat(3_000), '\u0000', '\ud83d', 2 ** 60),
  fc.jsonValue({ maxDepth: 3 }),
); // biome-ignore format: one row each

const spoils = (members: readonly string[]) => fc.dictionary(fc.constantFrom(...members), odd, { maxKeys: 2 });

const MEMBERS = ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'nonce', 'sub', 'sid', 'toString', '__proto__'];

describe('arbitrary logout tokens', () => {
  it('a signed token with odd members names a person or a session as text, or is refused', async () => {
    await using upstream = await start();
    const { logout } = open(upstream.issuer);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(spoils(MEMBERS), spoils(['typ', 'kid', 'crit']), async (claims, header) => {
        const now = Math.floor(Date.now() / 1_000);
        const usual = { iss: upstream.issuer, aud: 'client', iat: now, exp: now + 60, jti: 'one', sub: 'alice' };
        const sent = { ...usual, events: { [EVENT]: {} }, ...claims };
        const token = await sign(sent, { typ: 'logout+jwt', ...header }).catch(() => 'unsignable');
        try {
          const { issuer, subject, sid, jti } = (await logout?.readToken(token)) ?? {};
          accepted += 1;
          expect(issuer).toBe(upstream.issuer);
          expect(jti).toBeTypeOf('string');
          expect([subject, sid].filter((name) => typeof name === 'string' && name !== '').length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UpstreamError);
          const line = JSON.stringify(logged(error as UpstreamError, []));
          expect(line).not.toContain(token.split('.')[1] ?? token);
          expect(line.length).toBeLessThan(20_000);
        }
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  it('any text that the provider has not signed is refused', async () => {
    await using upstream = await start();
    const { logout } = open(upstream.issuer);
    const part = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        await expect(logout?.readToken(parts.join('.'))).rejects.toBeInstanceOf(UpstreamError);
      }),
      { numRuns: 200 },
    );
  });
});
