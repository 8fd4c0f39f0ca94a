/** Owns how this server authenticates to the introspection endpoint (RFC 7662 §2.1): by a secret (RFC 6749 §2.3.1) or a key (RFC 7523 §2.2). */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { SignJWT } from 'jose';
import { z } from 'zod';

export interface ClientKey {
  readonly key: KeyObject;
  readonly alg: 'ES256' | 'RS256' | 'PS256' | 'EdDSA';
  /** How the issuer names the key; absent: it is not named. */
  readonly kid?: string | undefined;
}

export type Credentials = { readonly clientId: string } & (
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly clientSecret: string }
  | { readonly method: 'private_key_jwt'; readonly clientKey: ClientKey }
);

export interface Authenticated {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

export interface AssertionOptions {
  /** The audience of assertions: the issuer. */
  readonly issuer: string;
  readonly clock: Clock;
  /** A new id for each assertion. */
  readonly newId: () => string;
}

/** Seconds for which an assertion is valid. */
const LIFETIME = 60;

/** What authenticates one request. */
export async function authenticated(credentials: Credentials, options: AssertionOptions): Promise<Authenticated> {
  const { clientId } = credentials;
  if (credentials.method === 'private_key_jwt') {
    const assertion = await assertionOf(clientId, credentials.clientKey, options);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    return { headers: {}, form: { client_id: clientId, client_assertion_type: type, client_assertion: assertion } };
  }
  const { method, clientSecret } = credentials;
  if (method === 'client_secret_post')
    return { headers: {}, form: { client_id: clientId, client_secret: clientSecret } };
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: {} };
}

/**
 * RFC 7515 §4.1.4: some issuers need the key id, and all refuse one that they do not know. They name keys themselves, so none is made
 * up, not even the thumbprint.
 */
function assertionOf(clientId: string, { key, alg, kid }: ClientKey, { issuer, clock, newId }: AssertionOptions) {
  const now = seconds(clock);
  return new SignJWT({ jti: newId() })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME)
    .sign(key);
}

const formEncoded = (value: string): string => new URLSearchParams([['', value]]).toString().slice('='.length);

/** A setting: a private key in PEM, whose lines may be written with `\n`, or as a JWK, which may have a `kid`. */
export const clientKey = (): z.ZodType<ClientKey, string> =>
  z.string().transform((text, context): ClientKey => {
    const found = readKey(text.trim());
    if (found) return found;
    const message =
      'expected a private key in PEM ("-----BEGIN PRIVATE KEY-----") or as a JWK: P-256, Ed25519, or RSA of 2048 bits';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const namedKey = z.looseObject({ kid: z.string().min(1).optional(), alg: z.string().optional() });

function readKey(text: string): ClientKey | undefined {
  try {
    if (!text.startsWith('{')) return signingKey(createPrivateKey(text.replaceAll('\\n', '\n')));
    const { kid, ...jwk } = namedKey.parse(JSON.parse(text));
    const found = signingKey(createPrivateKey({ key: jwk, format: 'jwk' }), jwk.alg);
    return found && { ...found, kid };
  } catch {
    return undefined;
  }
}

/** @param wanted the algorithm that the key itself names */
function signingKey(key: KeyObject, wanted?: string): ClientKey | undefined {
  const alg = algorithmsOf(key).find((one) => wanted === undefined || one === wanted);
  return alg && { key, alg };
}

/** The first one is used unless the key names another. */
function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly ClientKey['alg'][] {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (namedCurve === 'prime256v1') return ['ES256'];
  if (asymmetricKeyType === 'ed25519') return ['EdDSA'];
  return asymmetricKeyType === 'rsa' && modulusLength >= 2_048 ? ['RS256', 'PS256'] : [];
}
