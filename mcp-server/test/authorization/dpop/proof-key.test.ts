/** Proves that the thumbprint of a key is that of RFC 7638, and that only a public key has one. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { createProofKeys, thumbprintOf } from '../../../src/authorization/dpop/proof-key.ts';

describe('RFC 7638 thumbprint', () => {
  it('§3.1 the thumbprint of the example is as published', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const key = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' };
    expect(thumbprintOf(key)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it.each(['ES256', 'ES384', 'Ed25519', 'RS256'])(
    'the thumbprint of a key for %s equals that of another implementation',
    async (algorithm) => {
      const jwk = await exportJWK((await generateKeyPair(algorithm, { extractable: true })).publicKey);
      expect(thumbprintOf({ ...jwk, use: 'sig' })).toBe(await calculateJwkThumbprint(jwk));
    },
  );

  it.each([
    undefined, null, 'text', [], {}, { kty: 'EC' }, { kty: 'oct', k: 'c2VjcmV0' }, { kty: 'EC', crv: 'P-256', x: 1, y: 2 },
    { kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'private' }, { kty: '__proto__' }, { kty: 'constructor' },
  ])('an invalid key has no thumbprint: %j', (jwk) => {
    expect(() => thumbprintOf(jwk)).toThrow('proof_key');
  }); // biome-ignore format: one list
});

it('a parsed key is cached, for its algorithm only, up to a limit', async () => {
  const { publicKey } = await generateKeyPair('PS256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const keys = createProofKeys(1);
  const name = thumbprintOf(jwk);
  const first = await keys.open(jwk, 'PS256', name);
  expect(await keys.open(jwk, 'PS256', name)).toBe(first);
  expect((await keys.open(jwk, 'RS256', name)).algorithm.name).toBe('RSASSA-PKCS1-v1_5');
  expect(await keys.open(jwk, 'PS256', name), 'there was room for one').not.toBe(first);
  await expect(keys.open(jwk, 'ES256', name)).rejects.toThrow('proof_key');
});
