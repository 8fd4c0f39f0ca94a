/** Owns a client with a key of its own in tests (RFC 9449 §4): its thumbprint, and valid and invalid proofs. */
import { createHash, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

export interface ProofOptions {
  readonly token: string;
  readonly url: string;
  readonly method?: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Replaces the valid members; `undefined` leaves a member out. */
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

export interface KeyHolder {
  readonly thumbprint: string;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  prove(parts: ProofOptions): Promise<string>;
}

export async function keyHolder(alg = 'ES256'): Promise<KeyHolder> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(publicJwk),
    publicJwk,
    privateKey,
    prove: ({ token, url, method = 'POST', now, claims, header }) => {
      const ath = createHash('sha256').update(token).digest('base64url');
      const all = { jti: randomUUID(), htm: method, htu: url, iat: now, ath, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: publicJwk, ...header } as JWTHeaderParameters)
        .sign(privateKey);
    },
  };
}
