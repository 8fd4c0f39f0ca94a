/** Owns the text of a `WWW-Authenticate` header (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). */
import { PROOF_ALGORITHMS } from './dpop/proof.ts';

export interface Challenge {
  readonly scheme: 'Bearer' | 'DPoP';
  /** URL of the metadata of the requested resource. */
  readonly resourceMetadata: string;
  readonly scopes: readonly string[];
  /** Absent when the request had no token (RFC 6750 §3.1). */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  readonly description?: string;
}

export function challenge({ scheme, resourceMetadata, scopes, error, description }: Challenge): string {
  const parameters = [
    ['resource_metadata', resourceMetadata],
    ['scope', scopes.join(' ')],
    ['error', error],
    ['error_description', description],
    ['algs', scheme === 'DPoP' ? PROOF_ALGORITHMS.join(' ') : undefined],
  ] as const;
  const written = parameters.flatMap(([name, value]) => (value ? `${name}=${quoted(value)}` : []));
  return `${scheme} ${written.join(', ')}`;
}

/** RFC 9110 §5.6.4 quoted-string; characters that a header can't carry become spaces. */
const quoted = (value: string): string =>
  `"${value.replace(/[^\x20-\x7e]/g, ' ').replace(/["\\]/g, (special) => `\\${special}`)}"`;
