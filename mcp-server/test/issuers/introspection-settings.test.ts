/** Proves which settings of introspection are accepted, where the issuer is then asked, and which settings are refused at the start. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/authorization/introspection/endpoint.ts';
import { readConfig } from '../../src/config.ts';
import { configProblems } from '../support/config-problems.ts';

const pemOf = (kind: string, bits = 2_048): string => {
  const options = { modulusLength: bits, namedCurve: 'P-256' };
  return generateKeyPairSync(kind as 'rsa', options).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
};
const jwkOf = (kind: string, namedCurve = 'P-256') =>
  generateKeyPairSync(
    kind as 'rsa',
    { modulusLength: 2_048, namedCurve } as object as { modulusLength: number },
  ).privateKey.export({ format: 'jwk' });
const CLIENT = { INTROSPECTION_CLIENT_ID: 'tools', INTROSPECTION_CLIENT_SECRET: 'sesame' };
const KEY = {
  INTROSPECTION: 'on',
  INTROSPECTION_CLIENT_ID: 'tools',
  INTROSPECTION_CLIENT_AUTH: 'private_key_jwt',
  INTROSPECTION_CLIENT_KEY: pemOf('ec'),
};

describe('the settings of introspection', () => {
  it('introspection is off unless INTROSPECTION or INTROSPECTION_URL is set', () => {
    const of = (env: Environment) => readConfig(env).issuers[0]?.introspection;
    expect(of({})).toBeUndefined();
    expect(of({ ...CLIENT, INTROSPECTION: 'off', INTROSPECTION_URL: 'https://a.example/ask' })).toBeUndefined();
    expect(of({ ...CLIENT, INTROSPECTION: 'on' })).toMatchObject({ url: undefined, signedOnly: false, cache: 10 });
    expect(of({ ...CLIENT, INTROSPECTION_URL: 'https://a.example/ask' })).toMatchObject({ signedOnly: false });
    expect(of({ ...CLIENT, INTROSPECTION: 'signed' })).toMatchObject({ signedOnly: true });
  });

  it.each([
    ['ES256', jwkOf('ec')],
    ['EdDSA', { ...jwkOf('ed25519'), alg: 'EdDSA' }],
    ['RS256', jwkOf('rsa')],
    ['PS256', { ...jwkOf('rsa'), alg: 'PS256' }],
  ])('RFC 7517 §4 a key as a JWK signs with %s, under its name', (alg, jwk) => {
    const { issuers } = readConfig({ ...KEY, INTROSPECTION_CLIENT_KEY: JSON.stringify({ ...jwk, kid: 'k-1' }) });
    expect(issuers[0]?.introspection?.credentials).toMatchObject({ clientKey: { alg, kid: 'k-1' } });
  });

  it.each<[string, Environment, readonly RegExp[]]>([
    [
      'without a client',
      { INTROSPECTION: 'on' },
      [/^INTROSPECTION_CLIENT_ID: is needed/, /^INTROSPECTION_CLIENT_SECRET: is needed/],
    ],
    ['without a key', { ...KEY, INTROSPECTION_CLIENT_KEY: '' }, [/^INTROSPECTION_CLIENT_KEY: is needed/]],
    ['with a key that is none', { ...KEY, INTROSPECTION_CLIENT_KEY: 'x' }, [/^INTROSPECTION_CLIENT_KEY: expected a/]],
    [
      'with a short key',
      { ...KEY, INTROSPECTION_CLIENT_KEY: pemOf('rsa', 1_024) },
      [/^INTROSPECTION_CLIENT_KEY: expected a private key in PEM/],
    ],
    ...(
      [
        ['with a public JWK', { ...jwkOf('ec'), d: undefined }],
        ['with a JWK of another curve', jwkOf('ec', 'P-384')],
        ['with a JWK for another algorithm', { ...jwkOf('rsa'), alg: 'RS512' }],
        ['with a JWK whose key id is no text', { ...jwkOf('ec'), kid: 7 }],
        ['with a secret key as a JWK', { kty: 'oct', k: 'c2VjcmV0' }],
        ['with JSON that is no JWK', ['a']],
      ] as const
    ).map(([what, jwk]): [string, Environment, readonly RegExp[]] => [
      what,
      { ...KEY, INTROSPECTION_CLIENT_KEY: JSON.stringify(jwk) },
      [/^INTROSPECTION_CLIENT_KEY: expected a private key in PEM/],
    ]),
    [
      'with a key that is not used',
      { ...KEY, INTROSPECTION_CLIENT_AUTH: 'client_secret_post' },
      [/^INTROSPECTION_CLIENT_AUTH: must be private_key_jwt/],
    ],
    ['of a client without INTROSPECTION', CLIENT, [/^INTROSPECTION: is not set, so .* changes nothing/]],
    ['with true for on', { ...CLIENT, INTROSPECTION: 'true' }, [/^INTROSPECTION: expected one of on, off, signed/]],
    [
      'with a cache of minutes',
      { ...CLIENT, INTROSPECTION: 'on', INTROSPECTION_CACHE: '2m' },
      [/^INTROSPECTION_CACHE: expected a duration/],
    ],
    [
      'with plain http in production',
      {
        ...CLIENT,
        INTROSPECTION_URL: 'http://a.example/ask',
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://b.example',
        ISSUER: 'https://a.example',
      },
      [/^INTROSPECTION_URL: must use https unless it is inside the network/],
    ],
  ])('settings %s are refused', (_how, env, expected) => {
    expect(configProblems(env)).toEqual(expected.map((text) => expect.stringMatching(text)));
  });

  it.each([
    ['rsa', 'RS256'],
    ['ec', 'ES256'],
    ['ed25519', 'EdDSA'],
  ])('RFC 7523 §2.2 the key of the client is of the kind %s, and signs by %s', (kind, alg) => {
    const { issuers } = readConfig({ ...KEY, INTROSPECTION_CLIENT_KEY: pemOf(kind).replaceAll('\n', '\\n') });
    expect(issuers[0]?.introspection?.credentials).toMatchObject({ clientKey: { alg } });
  });

  it('RFC 7662 §4 at most one of several issuers is asked, because an opaque token does not say whose it is', () => {
    const of = (id: string) => ({
      [`ISSUER_${id}_URL`]: `https://${id.toLowerCase()}.example`,
      [`ISSUER_${id}_INTROSPECTION`]: 'on',
      [`ISSUER_${id}_INTROSPECTION_CLIENT_ID`]: 'tools',
      [`ISSUER_${id}_INTROSPECTION_CLIENT_SECRET`]: 'sesame',
    });
    expect(configProblems({ ISSUERS: 'a,b', ...of('A'), ...of('B') })).toEqual([
      expect.stringMatching(/^ISSUER_B_INTROSPECTION: a is asked about opaque tokens already/),
    ]);
    expect(configProblems({ ISSUERS: 'a,b', ...of('A'), ISSUER_B_URL: 'https://b.example' })).toEqual([]);
  });

  it('a secret is not accepted in the JSON of ISSUERS, and not repeated; the name of its file is accepted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'secret-'));
    writeFileSync(join(folder, 'secret'), 'sesame\n');
    const json = (more: object) => ({
      ISSUERS: JSON.stringify({
        corp: { URL: 'https://a.example', INTROSPECTION: 'on', INTROSPECTION_CLIENT_ID: 'tools', ...more },
      }),
    });
    const found = configProblems(json({ INTROSPECTION_CLIENT_SECRET: 'sesame' }));
    expect(found).toEqual([expect.stringMatching(/^ISSUER_CORP_INTROSPECTION_CLIENT_SECRET: is a secret/)]);
    expect(found.join()).not.toContain('sesame');
    const { issuers } = readConfig(json({ INTROSPECTION_CLIENT_SECRET_FILE: join(folder, 'secret') }));
    expect(issuers[0]?.introspection?.credentials).toMatchObject({ clientSecret: 'sesame' });
    rmSync(folder, { recursive: true });
  });
});

describe('where an issuer is asked', () => {
  const inside = (url: string) => url.replace('https://a.example', 'http://idp:8080');
  const metadataOf = (more: object) => ({ get: async () => ({ issuer: 'https://a.example', ...more }) });
  const of = (more: object, options: object = {}) =>
    endpointOf({ url: undefined, signedOnly: false, metadata: metadataOf(more), inside, ...options });

  it('RFC 8414 §2 at the endpoint of its metadata, by the URL inside the network', async () => {
    const endpoint = { introspection_endpoint: 'https://a.example/ask' };
    expect(await of(endpoint)).toEqual({ url: 'http://idp:8080/ask', answers: 'json' });
    expect(await of(endpoint, { signedOnly: true })).toMatchObject({ answers: 'signed' });
    expect(await of(endpoint, { url: 'https://b.example/x' })).toEqual({ url: 'https://b.example/x', answers: 'json' });
  });

  it('RFC 7662 §4 never at an endpoint without TLS', async () => {
    await expect(of({ introspection_endpoint: 'http://a.example/ask' })).rejects.toThrow('is not https');
    await expect(of({})).rejects.toThrow('has no introspection_endpoint');
  });
});
