/**
 * Owns how a token is signed (RFC 7515 §7.1): by node:crypto on the main thread, where a signature of an elliptic curve takes 20 µs. To
 * hand it to another thread costs twice as much. RSA takes twenty times as long, and has a thread.
 */
import { createPrivateKey, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningKey } from './signing-key.ts';

/** @returns the compact form */
export type SignToken = (claims: object) => string | Promise<string>;

const inThread = promisify(sign);

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** @param typ of the header (RFC 8725 §3.11) */
export function createTokenSigner(jwk: SigningKey, typ: string): SignToken {
  const { alg, kid } = jwk;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const header = `${encoded({ alg, typ, kid })}.`;
  const signature = (data: Buffer): Buffer | Promise<Buffer> => {
    if (alg === 'RS256') return inThread('sha256', data, key);
    // node:crypto also writes the form of JWS itself, but an object of options costs as much time as the signature.
    return alg === 'EdDSA' ? sign(null, data, key) : withoutAsn1(sign('sha256', data, key));
  };
  return (claims) => {
    const text = header + encoded(claims);
    const signed = signature(Buffer.from(text, 'latin1'));
    const complete = (bytes: Buffer): string => `${text}.${bytes.toString('base64url')}`;
    return Buffer.isBuffer(signed) ? complete(signed) : signed.then(complete);
  };
}

/** Octets of each of the two numbers of a signature on P-256. */
const NUMBER = 32;

/** RFC 7518 §3.4: both numbers in 32 octets each. ASN.1 writes each with its length, without leading zeros, but one before a set first bit. */
function withoutAsn1(der: Buffer): Buffer {
  const signature = Buffer.alloc(2 * NUMBER);
  // A sequence with its length, then an integer with its length.
  let at = 3;
  for (const end of [NUMBER, 2 * NUMBER]) {
    const length = der[at] ?? 0;
    const next = at + 1 + length;
    der.copy(signature, end - Math.min(length, NUMBER), next - Math.min(length, NUMBER), next);
    at = next + 1;
  }
  return signature;
}
