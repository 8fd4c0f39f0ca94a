/** Owns the distinction of opaque tokens from JWTs: a JWT is checked by its signature and is never sent to anybody. */
import type { VerifyToken } from '../access-token.ts';

/** RFC 7515 §3.1, RFC 7516 §3.1: at least three parts, of which the first is a header in JSON. A signed or encrypted JWT, valid or not. */
export function looksLikeJwt(token: string): boolean {
  const parts = token.split('.');
  const [header = ''] = parts;
  if (parts.length < 3) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

export const eitherKind =
  (jwt: VerifyToken, opaque: VerifyToken): VerifyToken =>
  (token, caller) =>
    looksLikeJwt(token) ? jwt(token, caller) : opaque(token, caller);
