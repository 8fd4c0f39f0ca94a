/** Owns what a signing key is: a private key as JWK (RFC 7517 §4), made here or brought from elsewhere, named by its thumbprint. */
import { createPrivateKey, createPublicKey, type JsonWebKeyInput, type KeyObject, sign, verify } from 'node:crypto';
import { StartError } from '@mcp-oauth/shared/errors';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

/** RFC 7518 §3.1, RFC 8037 §3.1; the first is the default. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export type SigningKey = JWK & { readonly kid: string; readonly alg: Algorithm; readonly use: 'sig' };

/** The first signs, all verify. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** RFC 7518 §3.3 asks for 2048 bits or more; beyond the upper limit a signature takes longer than a person waits. */
const RSA_BITS = { least: 2_048, most: 8_192 } as const;

export async function generateSigningKey(alg: Algorithm): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS.least });
  return toSigningKey(await exportJWK(privateKey), alg);
}

/** RFC 7638: the same key has the same name everywhere. */
async function toSigningKey(jwk: JWK, alg: Algorithm): Promise<SigningKey> {
  return { ...jwk, kid: await calculateJwkThumbprint(jwk, 'sha256'), alg, use: 'sig' };
}

/**
 * A private key from the text of a file: a JWK, or PEM (PKCS #8, PKCS #1, SEC 1).
 * @throws StartError that says what is wrong with it, and nothing of what it is
 */
export async function importSigningKey(text: string): Promise<SigningKey> {
  const isJwk = text.trimStart().startsWith('{');
  const claimed = isJwk ? parseJwk(text) : {};
  const key = read(isJwk ? { key: claimed, format: 'jwk' } : text);
  const alg = algorithmOf(key);
  if (claimed.alg !== undefined && claimed.alg !== alg && !(alg === 'EdDSA' && claimed.alg === 'Ed25519')) {
    throw new StartError(`the key says that it is for ${JSON.stringify(claimed.alg)}; it would be used for ${alg}`);
  }
  const { use = 'sig', key_ops: operations } = claimed;
  if (use !== 'sig' || (Array.isArray(operations) && !operations.includes('sign'))) {
    throw new StartError('the key is not meant for signatures (its `use` or `key_ops`)');
  }
  if (!isWhole(key, alg)) throw new StartError('the public part of the key does not belong to its private part');
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
    // The library's own words may quote the input.
    throw new StartError('the file holds no private key in PEM or JWK that could be read; it must not be encrypted');
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): Algorithm {
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ES256';
  if (type === 'ed25519') return 'EdDSA';
  const { modulusLength = 0 } = details;
  if (type === 'rsa' && modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most) return 'RS256';
  if (type === 'rsa') {
    throw new StartError(
      `an RSA key has from ${RSA_BITS.least} to ${RSA_BITS.most} bits, this one has ${modulusLength}`,
    );
  }
  throw new StartError('the key must be EC on P-256 (ES256), Ed25519 (EdDSA) or RSA (RS256)');
}

/** A JWK brings its public part along, and nobody has checked yet that it belongs there. */
function isWhole(key: KeyObject, alg: Algorithm): boolean {
  const digest = alg === 'EdDSA' ? null : 'sha256';
  const sample = Buffer.from('sample');
  try {
    return verify(digest, sample, createPublicKey(key), sign(digest, sample, key));
  } catch {
    return false;
  }
}
