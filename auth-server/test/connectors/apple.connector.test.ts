/** Proves that sign-in with Apple signs its own client secret, asks for a form, and reads what Apple documents. */
import { generateKeyPairSync } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { clientSecretJwt } from '../../src/connectors/apple/client-secret.ts';
import { checks } from '../contracts/connector.contract.ts';
import { problemsOf, signInAt, startPreset } from '../support/preset-stand-in.ts';
import { appleKey, VENDORS } from '../support/vendors.ts';

const { kind } = VENDORS.apple;
const startApple = () => startPreset(kind, VENDORS.apple);

describe('apple: the client secret', () => {
  it('Apple docs "Creating a client secret": header and claims, signed with ES256', async () => {
    await using upstream = await startApple();
    await signInAt(upstream);
    const form = upstream.redeemed()?.form;
    expect([form?.get('client_id'), upstream.redeemed()?.authorization]).toEqual(['client', undefined]);
    const { payload, protectedHeader } = await jwtVerify(form?.get('client_secret') ?? '', appleKey.publicKey);
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'KEY' });
    expect(payload).toEqual({
      iss: 'TEAM', aud: upstream.issuer, sub: 'client', iat: expect.any(Number), exp: (payload.iat ?? 0) + 300,
    }); // biome-ignore format: one row
  });

  it('the secret is renewed by itself: each request has a new one that is valid for five minutes', async () => {
    const clock = new FakeClock(1_700_000_000_000);
    const options = {
      teamId: 'TEAM',
      keyId: 'KEY',
      privateKey: appleKey.pem,
      clientId: 'client',
      audience: 'https://appleid.apple.com',
    };
    const secret = clientSecretJwt(options, clock);
    for (const iat of [1_700_000_000, 1_731_536_000]) {
      const { payload } = await jwtVerify(secret(), appleKey.publicKey, { currentDate: new Date(clock.now()) });
      expect(payload).toMatchObject({ iat, exp: iat + 300 });
      clock.advance(31_536_000);
    }
  });

  it.each([
    ['no key', 'secret'],
    ['a public key', appleKey.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['an RSA key', generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ])('a start with %s as PRIVATE_KEY is refused, and the key is not shown', (_, key) => {
    const problems = problemsOf(kind, { CLIENT_ID: 'client', TEAM_ID: 'TEAM', KEY_ID: 'KEY', PRIVATE_KEY: key });
    expect(problems).toEqual([{ env: 'PRIVATE_KEY', message: expect.stringMatching(/^expected the private key that Apple issued/) }]);
    expect(JSON.stringify(problems)).not.toContain(key.slice(30, 60) || key);
  }); // biome-ignore format: rows

  it('a key in one line, as a variable has it, is read', () => {
    const env = {
      CLIENT_ID: 'client',
      TEAM_ID: 'TEAM',
      KEY_ID: 'KEY',
      PRIVATE_KEY: appleKey.pem.replaceAll('\n', '\\n'),
    };
    expect(problemsOf(kind, env)).toEqual([]);
  });
});

describe('apple: request and claims', () => {
  it('Apple docs "Request an authorization to the Sign in with Apple server": name and e-mail need form_post', async () => {
    await using upstream = await startApple();
    const { searchParams } = await upstream.connector.begin(checks);
    expect([searchParams.get('response_mode'), searchParams.get('scope')]).toEqual(['form_post', 'openid name email']);
  });

  it.each([['true'], [true]])(
    'Apple docs "Authenticating users with Sign in with Apple": email_verified may be %j',
    async (flag) => {
      await using upstream = await startApple();
      upstream.claims = { email: 'x7k@privaterelay.appleid.com', email_verified: flag, is_private_email: 'true' };
      expect(await signInAt(upstream)).toMatchObject({
        verifiedEmails: ['x7k@privaterelay.appleid.com'],
        memberships: {},
      });
    },
  );

  it('the name that comes through the browser is shown, and is no claim', async () => {
    await using upstream = await startApple();
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    answer.searchParams.set('user', JSON.stringify({ name: { firstName: 'Ada' }, email: 'victim@example.com' }));
    const { identity } = await upstream.connector.finish(answer, checks);
    expect(identity).toMatchObject({ name: 'Ada', verifiedEmails: [] });
    expect(JSON.stringify(identity.claims)).not.toMatch(/Ada|victim/);
  });
});
