/** Owns the check of a JWT by several keys (RFC 7517 §4.5): keys whose ids do not identify one are tried until a signature matches. */
import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';

/** @throws the errors of jose, and of the keys */
export async function verifiedBy(
  jwt: string,
  candidates: AsyncIterable<CryptoKey>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let failure: unknown;
  for await (const key of candidates) {
    try {
      return (await jwtVerify(jwt, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      failure = error;
    }
  }
  throw failure;
}
