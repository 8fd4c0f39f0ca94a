/** Owns the public key in a DPoP proof (RFC 9449 §4.2 `jwk`): its check, its thumbprint, and its import. */

import { hash } from 'node:crypto';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import { isObject } from '@mcp-oauth/shared/json';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { ProofError } from './proof-error.ts';

/** RFC 7518 §6: members of private and symmetric keys, which must not be sent. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** RFC 7638 §3.2, in the order of §3.3. */
const NAMING_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

/** RFC 7638. @throws ProofError for a value that is not a public key */
export function thumbprintOf(jwk: unknown): string {
  if (!isObject(jwk) || PRIVATE_MEMBERS.some((member) => member in jwk)) throw new ProofError('proof_key');
  const names = NAMING_MEMBERS.get(jwk.kty) ?? [];
  const members = names.map((name) => [name, jwk[name]] as const);
  if (members.length === 0 || members.some(([, value]) => typeof value !== 'string')) throw new ProofError('proof_key');
  return hash('sha256', JSON.stringify(Object.fromEntries(members)), 'base64url');
}

export interface ProofKeys {
  /** @throws ProofError for a key that does not fit the algorithm */
  open(jwk: JWK, algorithm: string, thumbprint: string): Promise<CryptoKey>;
}

const CAPACITY = 1_000;

/** Cached: importing a key takes a third of the time of a check, and a client uses the same key for all its proofs. */
export function createProofKeys(capacity = CAPACITY): ProofKeys {
  const opened = new BoundedMap<string, CryptoKey>(capacity);
  return {
    open: async (jwk, algorithm, thumbprint) => {
      const id = `${algorithm} ${thumbprint}`;
      const known = opened.get(id);
      if (known) return known;
      const key = await importJWK(jwk, algorithm).catch((cause: unknown) => {
        throw new ProofError('proof_key', { cause });
      });
      if (key instanceof Uint8Array) throw new ProofError('proof_key');
      opened.set(id, key);
      return key;
    },
  };
}
