/**
 * Proves which keys may sign: generated or imported, with the key id of RFC 7638, and refused without showing the key.
 */
import { generateKeyPairSync } from 'node:crypto';
import { StartError } from '@mcp-oauth/shared/errors';
import { calculateJwkThumbprint, importJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, generateSigningKey, importSigningKey } from '../../src/keys/signing-key.ts';

const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;

describe('RFC 7518 §3.1 a signing key', () => {
  it.each(ALGORITHMS)('a key for %s signs, and is named by its RFC 7638 §3 thumbprint', async (alg) => {
    const key = await generateSigningKey(alg);
    expect(key).toMatchObject({ alg, use: 'sig', kid: await calculateJwkThumbprint(key, 'sha256') });
    await expect(new SignJWT({}).setProtectedHeader({ alg }).sign(await importJWK(key, alg))).resolves.toMatch(/^ey/);
  });

  it('RFC 7518 §3.3 a key for RS256 has 2048 bits', async () => {
    const { n = '' } = await generateSigningKey('RS256');
    expect(Buffer.from(n, 'base64url')).toHaveLength(256);
  });
});

describe('a key from another server', () => {
  it.each([
    ['ES256', 'PKCS #8', ec().export({ type: 'pkcs8', format: 'pem' })],
    ['ES256', 'SEC 1', ec().export({ type: 'sec1', format: 'pem' })],
    ['EdDSA', 'PKCS #8', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['RS256', 'PKCS #1', rsa(2_048).export({ type: 'pkcs1', format: 'pem' })],
    ['ES256', 'JWK', JSON.stringify(ec().export({ format: 'jwk' }))],
  ])('an imported key for %s is read from %s and gets a name of its own', async (alg, _, text) => {
    const key = await importSigningKey(String(text));
    expect(key).toMatchObject({ alg, use: 'sig', kid: await calculateJwkThumbprint(key, 'sha256') });
    expect(key.d).toBeDefined();
  });

  it('an imported JWK loses every member but the key itself', async () => {
    const jwk = { ...ec().export({ format: 'jwk' }), kid: 'old', alg: 'ES256', x5u: 'https://evil.example', extra: 1 };
    const key = await importSigningKey(JSON.stringify(jwk));
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'd', 'kid', 'kty', 'use', 'x', 'y']);
    expect(key.kid).not.toBe('old');
  });

  it('RFC 9864 §2.2 an imported key may call its algorithm Ed25519', async () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    expect((await importSigningKey(JSON.stringify({ ...jwk, alg: 'Ed25519' }))).alg).toBe('EdDSA');
  });

  const strange = ec().export({ format: 'jwk' });
  const key = ec().export({ format: 'jwk' });
  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' } as const;
  it.each([
    ['of RSA with 1024 bits', rsa(1_024).export({ type: 'pkcs8', format: 'pem' }), /from 2048 to 8192 bits.* 1024/],
    [
      'of RSA-PSS',
      generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /P-256/,
    ],
    [
      'on another curve',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /P-256/,
    ],
    ['for key agreement', generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), /P-256/],
    [
      'that is public',
      generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
      /no private key/,
    ],
    ['that is encrypted', ec().export(encrypted), /and not encrypted/],
    ['without its private part', JSON.stringify({ ...key, d: undefined }), /no private key/],
    [
      'whose public part is of another',
      JSON.stringify({ ...key, x: strange.x, y: strange.y }),
      /does not match|no private key/,
    ],
    ['for another algorithm', JSON.stringify({ ...key, alg: 'RS256' }), /"RS256".* ES256/],
    ['for encryption', JSON.stringify({ ...key, use: 'enc' }), /not for signatures/],
    ['that may only verify', JSON.stringify({ ...key, key_ops: ['verify'] }), /not for signatures/],
    ['that is symmetric', JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' }), /no private key/],
    ['in a set', JSON.stringify({ keys: [key] }), /no private key/],
    ['that is no JSON', '{"kty":', /neither PEM nor a JWK/],
    ['that is nothing', '', /no private key/],
    ['that is anything', 'hello', /no private key/],
  ])('a key %s is refused, and not repeated', async (_, text, message) => {
    const refused = await importSigningKey(String(text)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartError);
    expect((refused as Error).message).toMatch(message);
    expect((refused as Error).message).not.toContain(String(key.d));
  });
});
