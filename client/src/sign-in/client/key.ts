/**
 * Owns the key of a client that authenticates itself with signed assertions (`private_key_jwt`: RFC 7523 §2.2, OpenID Connect Core 1.0 §9).
 * The key is read whenever it is used, and only the place where it is read is kept.
 */
import { createPrivateKey, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto';
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { SignJWT } from 'jose';

/** The file of a private key: PEM, or a JWK (RFC 7517). */
export interface KeyPlace {
  readonly key: string;
  readonly audience: Audience;
}

/**
 * Whom an assertion is for. An authorization server is its issuer (draft-ietf-oauth-rfc7523bis); identity providers such as Okta want the
 * URL that is asked.
 */
export type Audience = 'issuer' | 'endpoint';

/** Where a client authenticates itself. */
export interface Endpoint {
  readonly url: string | URL;
  readonly issuer: string | undefined;
  /** What its metadata says (RFC 8414 §2). */
  readonly methods?: readonly string[] | undefined;
  readonly algorithms?: readonly string[] | undefined;
}

export interface ClientKey {
  /** @returns an assertion that is good once, at this endpoint */
  assertionOf(clientId: string, endpoint: Endpoint): Promise<string>;
}

/** Seconds. Clocks differ, and the assertion is sent at once. */
const LIFETIME = 60;

/** RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2: the first is used unless the metadata has only another one. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'],
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};

/** @throws StartError for a file without a private key */
export function readClientKey({ key: path, audience }: KeyPlace): ClientKey {
  const name = `the key of the client in ${path}`;
  const text = readSettingFile(name, path).toString('utf8');
  const jwk = jwkIn(text);
  const key = privateKeyIn(jwk, text, name);
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: { namedCurve } = {} } = key;
  const known = ALGORITHMS[namedCurve ?? type];
  if (!known) throw new StartError(`${name} must be an RSA, P-256, P-384, P-521 or Ed25519 key`);
  const able = typeof jwk?.alg === 'string' ? [jwk.alg] : known;
  return {
    assertionOf: (clientId, { url, issuer, algorithms = able }) => {
      const alg = able.find((one) => algorithms.includes(one));
      if (alg === undefined) {
        throw new StartError(`${name} signs with ${able.join(', ')}, and the server takes ${algorithms.join(', ')}`);
      }
      return new SignJWT()
        .setProtectedHeader({ alg, typ: 'JWT', ...(typeof jwk?.kid === 'string' && { kid: jwk.kid }) })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience === 'issuer' ? (issuer ?? String(url)) : String(url))
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${LIFETIME}s`)
        .sign(key);
    },
  };
}

function jwkIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the library says of a bad key may repeat a part of it. */
function privateKeyIn(jwk: JsonObject | undefined, text: string, name: string): KeyObject {
  try {
    return createPrivateKey(jwk ? { key: jwk as JsonWebKey, format: 'jwk' } : text);
  } catch {
    throw new StartError(`${name} must be a private key without a password: PEM, or a JWK`);
  }
}

export const isKeyPlace = (value: unknown): value is KeyPlace =>
  isObject(value) && typeof value.key === 'string' && (value.audience === 'issuer' || value.audience === 'endpoint');
