/**
 * Owns the client secret of Apple: a JWT that the key of the team signs (ES256, RFC 7518 §3.4). Each request gets a new one, so none
 * has to be renewed by hand.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { z } from 'zod';

export interface ClientSecretOptions {
  readonly teamId: string;
  readonly keyId: string;
  /** As `privateKey()` accepted it. */
  readonly privateKey: string;
  readonly clientId: string;
  readonly audience: string;
}

/** Seconds; Apple accepts up to six months. */
const LIFETIME = 300;

export function clientSecretJwt(options: ClientSecretOptions, clock: Clock): () => string {
  const key = createPrivateKey(options.privateKey);
  return () => {
    const iat = seconds(clock);
    const { keyId, teamId, clientId, audience } = options;
    const claims = { iss: teamId, iat, exp: iat + LIFETIME, aud: audience, sub: clientId };
    const signed = `${encoded({ alg: 'ES256', kid: keyId })}.${encoded(claims)}`;
    // RFC 7518 §3.4: the two numbers side by side, not in DER.
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A setting: a private key of the curve P-256 in PEM, whose lines may be written with `\n`. */
export const privateKey = (): z.ZodType<string, string> =>
  z.string().transform((text, context): string => {
    const pem = text.trim().replaceAll('\\n', '\n');
    const curve = parsed(pem)?.asymmetricKeyDetails?.namedCurve;
    if (curve !== 'prime256v1') {
      const message = 'expected the private key that Apple issued (PEM, "-----BEGIN PRIVATE KEY-----", P-256)';
      context.addIssue({ code: 'custom', message });
    }
    return pem;
  });

function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
