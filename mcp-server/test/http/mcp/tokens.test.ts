/**
 * Proves that each kind of bad token is refused over real HTTP with the standard challenge, before anything runs (RFC
 * 6750 §3.1).
 */
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type Harness, PING, post, readChallenge, startHarness } from '../../support/http-harness.ts';
import { signingKey, signToken } from '../../support/issuer.ts';

let server: Harness;
beforeAll(async () => {
  server = await startHarness();
});
beforeEach(() => {
  server.ran.length = 0;
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => server.clock.now() / 1000;

const groups = (count: number) => Array.from({ length: count }, () => randomUUID());

const unsigned = (): string =>
  `${base64url({ alg: 'none', typ: 'at+jwt', kid: 'key-1' })}.${base64url(server.claims())}.`;

/** Algorithm confusion (RFC 8725 §2.1): the public key as the secret of an HMAC. */
function signedWithPublicKey(): string {
  const input = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' })}.${base64url(server.claims())}`;
  return `${input}.${createHmac('sha256', server.key.publicPem).update(input).digest('base64url')}`;
}

/** A token signed with an attacker's own key, which its header contains or refers to. */
async function selfSigned(header: Record<string, unknown>, kid = 'key-1'): Promise<string> {
  const key = await signingKey(kid);
  return signToken({
    key,
    claims: server.claims(),
    header: { ...header, ...('jwk' in header && { jwk: key.publicJwk }) },
  });
}

const tampered = async (): Promise<string> => {
  const [header, , signature] = (await server.token()).split('.');
  return `${header}.${base64url(server.claims({ sub: 'somebody-else' }))}.${signature}`;
};

const bad: Record<string, [reason: string, token: () => string | Promise<string>]> = {
  garbage: ['malformed', () => 'garbage'],
  'three parts of garbage': ['malformed', () => 'a.b.c'],
  'characters that no token has': ['malformed', () => 'a b'],
  'alg none': ['algorithm', unsigned],
  'HS256 with the public key as the secret': ['algorithm', signedWithPublicKey],
  'a changed payload': ['bad_signature', tampered],
  'a key of its own in the header (jwk)': ['bad_signature', () => selfSigned({ jwk: true })],
  'a key set of its own in the header (jku)': ['bad_signature', () => selfSigned({ jku: 'https://evil.example/jwks' })],
  'an unknown kid': ['unknown_key', () => selfSigned({}, 'nobody')],
  'no kid, and no key that fits': ['bad_signature', () => selfSigned({ kid: undefined })],
  'an unknown critical header': ['malformed', () => selfCritical()],
  'the type of an ID token': ['wrong_type', () => server.token({}, { typ: 'JWT' })],
  'no type': ['wrong_type', () => server.token({}, { typ: undefined })],
  'another issuer': ['wrong_issuer', () => server.token({ iss: 'https://evil.example' })],
  'the issuer with a slash': ['wrong_issuer', () => server.token({ iss: `${server.issuer.url}/` })],
  'another audience': ['wrong_audience', () => server.token({ aud: 'https://other.example/mcp' })],
  'a longer audience': ['wrong_audience', () => server.token({ aud: `${server.url}/mcp/other` })],
  'no audience': ['no_audience', () => server.token({ aud: undefined })],
  'an expired token': ['expired', () => server.token({ iat: now() - 700, exp: now() - 6 })],
  'an expiry in milliseconds': ['missing_claim', () => server.token({ exp: (now() + 600) * 1000 })],
  'no expiry': ['missing_claim', () => server.token({ exp: undefined })],
  'a token of the future (nbf)': ['not_yet_valid', () => server.token({ nbf: now() + 60 })],
  'a token of the future (iat)': ['not_yet_valid', () => server.token({ iat: now() + 60 })],
  'an issued time that is no number': ['malformed', () => server.token({ iat: 'yesterday' })],
  'no subject': ['missing_claim', () => server.token({ sub: undefined })],
  'no client': ['missing_claim', () => server.token({ client_id: undefined })],
  'a token bound to a key (cnf)': ['sender_constrained', () => server.token({ cnf: { jkt: 'thumbprint' } })],
};

/** jose refuses to sign with an unknown critical header, so the header is added afterwards. */
async function selfCritical(): Promise<string> {
  const [, payload, signature] = (await server.token()).split('.');
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1', crit: ['unheard-of'], 'unheard-of': true };
  return `${base64url(header)}.${payload}.${signature}`;
}

describe('RFC 6750 §3.1 invalid_token', () => {
  it.each(Object.entries(bad))('a token is refused: %s', async (_, [reason, token]) => {
    const value = await token();
    const response = await server.fetch('/mcp', post(value, PING));

    expect(response.status).toBe(401);
    expect(readChallenge(response)).toEqual({
      resource_metadata: `${server.url}/.well-known/oauth-protected-resource/mcp`,
      scope: 'mcp:tools',
      error: 'invalid_token',
      error_description: 'Unauthorized: the access token is invalid or has expired.',
    });
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
    expect(server.ran).toEqual([]);
    expect(server.log.join('')).toContain(`"reason":"${reason}"`);
    expect(server.log.join('')).not.toContain(value);
  });

  it.each([40_000, 100_000, 900_000])(
    'RFC 6585 §5 a token of %i bytes is refused as too large, not as invalid, because a new one would not be smaller',
    async (size) => {
      const origin = 'http://localhost:3000';
      const response = await server.fetch('/mcp', { headers: { ...bearer('x'.repeat(size)), origin } });
      expect(response.status).toBe(431);
      expect(response.headers.get('www-authenticate')).toBeNull();
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toEqual({
        error: 'invalid_request',
        error_description:
          'The header of the request is too large: this server accepts 36864 bytes, including the access token.',
      });
      expect(server.ran).toEqual([]);
    },
  );
});

describe('RFC 9068 §4 a valid token', () => {
  const good: Record<string, () => Promise<string>> = {
    'as auth-server issues it': () => server.token(),
    'with the media type in full': () => server.token({}, { typ: 'application/AT+JWT' }),
    'for the alias /sse': () => server.token({ aud: `${server.url}/sse` }),
    'for the origin': () => server.token({ aud: server.url }),
    'for this and another audience': () => server.token({ aud: ['https://other.example', `${server.url}/mcp`] }),
    'that expired within the tolerance': () => server.token({ exp: now() - 3 }),
    'whose issuer has a fast clock, within the tolerance': () => server.token({ iat: now() + 3, nbf: now() + 3 }),
    'of a person in 190 groups (10 KB)': () => server.token({ groups: groups(190) }),
    'of a person in 400 groups (21 KB)': () => server.token({ groups: groups(400) }),
    'of 32 KiB': () => server.token({ padding: 'x'.repeat(24_150) }),
    'with azp instead of client_id': () => server.token({ client_id: undefined, azp: 'client-1' }),
    'without the time at which it was issued': () => server.token({ iat: undefined }),
    'with scp instead of scope': () => server.token({ scope: undefined, scp: ['mcp:tools'] }),
  };
  it.each(Object.entries(good))('a token is accepted: %s', async (_, token) => {
    const response = await server.fetch('/mcp', post(await token(), PING));
    expect(response.status).toBe(200);
    expect(server.ran).toEqual([{ endpoint: 'streamable', method: 'POST', subject: 'person-1', message: PING }]);
  });

  it.each(['EdDSA', 'RS256', 'PS256'])('a token signed with %s is accepted', async (algorithm) => {
    const key = await signingKey(`key-${algorithm}`, algorithm);
    server.issuer.keys.push(key.publicJwk);
    server.clock.advance(31);
    const token = await signToken({ key, claims: server.claims() });
    expect((await server.fetch('/mcp', post(token, PING))).status).toBe(200);
  });

  it('a token of type JWT is accepted once configured, for issuers that do not follow RFC 9068', async () => {
    await using lenient = await startHarness({ types: ['at+jwt', 'JWT'] });
    const response = await lenient.fetch('/mcp', post(await lenient.token({}, { typ: 'JWT' }), PING));
    expect(response.status).toBe(200);
  });
});
