/**
 * Proves that arbitrary logout tokens of a provider, signed well or not, end a session or are refused with a reason that is safe to
 * log (OpenID Connect Back-Channel Logout 1.0 §2.6).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { logged } from '../../../src/federation/failure.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { EVENT } from '../../support/logout-upstream.ts';
import { metadata, open, sign, start } from '../../support/oidc-stand-in.ts';

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
          const { issuer, subject, sid, jti } = (await logout?.readToken?.(token)) ?? {};
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
        await expect(logout?.readToken?.(parts.join('.'))).rejects.toBeInstanceOf(UpstreamError);
      }),
      { numRuns: 200 },
    );
  });
});

describe('OpenID Connect Back-Channel Logout §2.1 a provider that does not announce logout tokens', () => {
  const DISCOVERY = '/.well-known/openid-configuration';

  async function troublesOf(logoutEndsApprovals: boolean, announced: unknown): Promise<readonly string[]> {
    await using upstream = await start();
    upstream.stage.routes.set(DISCOVERY, () => ({
      ...metadata(upstream.issuer),
      backchannel_logout_supported: announced,
    }));
    const troubles: string[] = [];
    const clock = new FakeClock(Date.now());
    const onTrouble = (message: string) => troubles.push(message);
    const connector = open(upstream.issuer, { logoutEndsApprovals }, { clock, onTrouble });
    for (let n = 0; n < 3; n += 1) {
      await connector.begin(checks);
      clock.advance(90_000);
    }
    return troubles;
  }

  it.each([undefined, false, 'true'])(
    'with %j a warning names LOGOUT_ENDS_APPROVALS once, if it is on',
    async (announced) => {
      expect(await troublesOf(true, announced)).toEqual([
        expect.stringContaining('LOGOUT_ENDS_APPROVALS may have no effect'),
      ]);
      expect(await troublesOf(false, announced)).toEqual([]);
    },
  );

  it('there is no warning if it announces them', async () => {
    expect(await troublesOf(true, true)).toEqual([]);
  });
});

describe('OpenID Connect Back-Channel Logout §2.6 new keys of the provider', () => {
  /** A provider, a connector for it on a clock of its own, and a way to send it tokens of any key. */
  async function begin() {
    const upstream = await start();
    const clock = new FakeClock(Date.now());
    const { logout } = open(upstream.issuer, {}, { clock });
    const pair = async () => generateKeyPair('RS256', { extractable: true });
    const [junk, next] = await Promise.all([pair(), pair()]);
    const read = async ({ privateKey }: typeof junk, kid: string) => {
      const iat = Math.floor(clock.now() / 1_000);
      const usual = { iss: upstream.issuer, aud: 'client', iat, exp: iat + 60, jti: kid, sub: 'alice' };
      const token = new SignJWT({ ...usual, events: { [EVENT]: {} } }).setProtectedHeader({ alg: 'RS256', kid });
      const result = await logout?.readToken?.(await token.sign(privateKey)).catch((error: unknown) => error);
      return result instanceof UpstreamError ? result.reason : 'accepted';
    };
    const rotate = async () => {
      const key = { ...(await exportJWK(next.publicKey)), alg: 'RS256', kid: 'next' };
      upstream.stage.routes.set('/jwks', () => ({ keys: [key] }));
    };
    return { clock, rotate, junk: (kid: string) => read(junk, kid), genuine: () => read(next, 'next'), upstream };
  }

  it('a stranger who sends a token with an unknown key every half minute suppresses no logout', async () => {
    const { clock, rotate, junk, genuine, upstream } = await begin();
    await using _ = upstream;
    for (let n = 0; n < 10; n += 1) {
      expect(await junk(`unknown-${n}`)).toBe('invalid_answer');
      clock.advance(30);
    }
    expect(await junk('last')).toBe('invalid_answer');
    await rotate();
    expect(await genuine()).toBe('accepted');
  });

  it('a stranger who sends many delays a logout: it is refused as theirs are, and succeeds seconds later', async () => {
    const { clock, rotate, junk, genuine, upstream } = await begin();
    await using _ = upstream;
    const before = upstream.stage.asked.length;
    const answers = await Promise.all(Array.from({ length: 50 }, (__, n) => junk(`unknown-${n}`)));
    expect(new Set(answers)).toEqual(new Set(['invalid_answer']));
    expect(upstream.stage.asked.length - before).toBeLessThanOrEqual(7);
    await rotate();
    expect(await genuine()).toBe('invalid_answer');
    clock.advance(13);
    expect(await genuine()).toBe('accepted');
  });
});
