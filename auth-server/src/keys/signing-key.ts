/** Owns the signing key: a private key as JWK (RFC 7517 §4), generated or imported, with its thumbprint as `kid`. */
import { createPrivateKey, createPublicKey, type JsonWebKeyInput, type KeyObject, sign, verify } from 'node:crypto';
import { StartError } from '@mcp-oauth/shared/errors';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

/** RFC 7518 §3.1, RFC 8037 §3.1; the first is the default. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export type SigningKey = JWK & { readonly kid: string; readonly alg: Algorithm; readonly use: 'sig' };

/** The first signs, all verify. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** RFC 7518 §3.3 requires 2048 bits or more; above the upper limit a signature takes too long. */
const RSA_BITS = { least: 2_048, most: 8_192 } as const;

export async function generateSigningKey(alg: Algorithm): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS.least });
  return toSigningKey(await exportJWK(privateKey), alg);
}

/** RFC 7517 §4: the members that others may read, by name, so that a private member of a later type is never among them. */
export const publicPart = ({ kty, crv, x, y, n, e, kid, alg, use }: SigningKey): JWK =>
  JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid, alg, use }));

/** RFC 7638: the same key has the same `kid` everywhere. */
async function toSigningKey(jwk: JWK, alg: Algorithm): Promise<SigningKey> {
  return { ...jwk, kid: await calculateJwkThumbprint(jwk, 'sha256'), alg, use: 'sig' };
}

/**
 * A private key from the text of a file: a JWK, or PEM (PKCS #8, PKCS #1, SEC 1).
 * @throws StartError with the problem, but without any part of the key
 */
export async function importSigningKey(text: string): Promise<SigningKey> {
  const isJwk = text.trimStart().startsWith('{');
  const claimed = isJwk ? parseJwk(text) : {};
  const key = read(isJwk ? { key: claimed, format: 'jwk' } : text);
  const alg = algorithmOf(key);
  if (claimed.alg !== undefined && claimed.alg !== alg && !(alg === 'EdDSA' && claimed.alg === 'Ed25519')) {
    throw new StartError(`the key states the algorithm ${JSON.stringify(claimed.alg)}, but its type is for ${alg}`);
  }
  const { use = 'sig', key_ops: operations } = claimed;
  if (use !== 'sig' || (Array.isArray(operations) && !operations.includes('sign'))) {
    throw new StartError('the key is not for signatures (see its `use` or `key_ops`)');
  }
  if (!isWhole(key, alg)) throw new StartError('the public part of the key does not match its private part');
  return toSigningKey(key.export({ format: 'jwk' }) as JWK, alg);
}

function parseJwk(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text);
  } catch {
    throw new StartError('the file is neither PEM nor a JWK in JSON');
  }
}

function read(input: JsonWebKeyInput | string): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    // The message of the library may quote the input.
    throw new StartError('the file contains no private key that can be read: it must be PEM or JWK, and not encrypted');
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): Algorithm {
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ES256';
  if (type === 'ed25519') return 'EdDSA';
  const { modulusLength = 0 } = details;
  if (type === 'rsa' && modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most) return 'RS256';
  if (type === 'rsa') {
    throw new StartError(
      `an RSA key must have from ${RSA_BITS.least} to ${RSA_BITS.most} bits; this one has ${modulusLength}`,
    );
  }
  throw new StartError('the key must be EC on P-256 (ES256), Ed25519 (EdDSA) or RSA (RS256)');
}

/** A JWK contains its public part, which nobody has checked yet. */
function isWhole(key: KeyObject, alg: Algorithm): boolean {
  const digest = alg === 'EdDSA' ? null : 'sha256';
  const sample = Buffer.from('sample');
  try {
    return verify(digest, sample, createPublicKey(key), sign(digest, sample, key));
  } catch {
    return false;
  }
}
