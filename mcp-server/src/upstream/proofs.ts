/** Owns the DPoP proofs of this server for the tokens that are bound to its key (RFC 9449 §4.2). */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { SignJWT } from 'jose';
import type { ClientKey } from '../authorization/introspection/credentials.ts';
import { publicJwk } from './own-key.ts';

interface Proven {
  readonly method: string;
  readonly url: string | URL;
  /** The token of the request; absent at the token endpoint. */
  readonly token?: string;
  /** What the other server wants to find in the proof (RFC 9449 §8). */
  readonly nonce?: string | undefined;
}

/** Writes a proof for one request. */
export type Prove = (proven: Proven) => Promise<string>;

export function createProofs({ key, alg }: ClientKey, clock: Clock, newId: () => string): Prove {
  const jwk = publicJwk(key);
  return ({ method, url, token, nonce }) => {
    const { origin, pathname } = new URL(url);
    const ath = token === undefined ? undefined : hash('sha256', token, 'base64url');
    const claims = { htm: method, htu: origin + pathname, ...(ath && { ath }), ...(nonce && { nonce }) };
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
      .setJti(newId())
      .setIssuedAt(seconds(clock))
      .sign(key);
  };
}
