/** Owns the key by which this server identifies itself: its public half for issuers (RFC 9728 §2), and new keys. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { ClientKey } from '../authorization/introspection/credentials.ts';

/** RFC 7517 §5, as a document of `jwks_uri`. */
interface PublicKeys {
  readonly keys: readonly JWK[];
}

/** RFC 7517 §4: only the public members, whatever the setting has. */
export function publicKeysOf({ key, alg, kid }: ClientKey): PublicKeys {
  return { keys: [{ ...publicJwk(key), alg, use: 'sig', ...(kid !== undefined && { kid }) }] };
}

/** The key in the header of a proof (RFC 9449 §4.2). */
export const publicJwk = (key: ClientKey['key']): JWK => createPublicKey(key).export({ format: 'jwk' }) as JWK;

/** A new private key as a JWK, named by its thumbprint (RFC 7638). */
export async function newKey(): Promise<JWK> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  return { ...jwk, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(jwk) };
}
