/** Owns an issuer of assertions in a test: metadata and keys over real HTTP, and JWTs that a test can make wrong. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createStage, type Stage } from './upstream-stand-in.ts';

export interface TrustedIssuer extends AsyncDisposable {
  readonly url: string;
  readonly stage: Stage;
  /** A JWT with these claims besides the usual times. */
  sign(claims: JWTPayload, header?: object): Promise<string>;
  /** From now on it signs with a new key, which it publishes under this id. */
  rotate(kid: string): Promise<void>;
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export async function startTrustedIssuer(kid = 'one'): Promise<TrustedIssuer> {
  const stage = await createStage('/token');
  let signing = { kid, ...(await generateKeyPair('ES256')) };
  stage.routes.set('/.well-known/openid-configuration', () => ({
    issuer: stage.url,
    authorization_endpoint: `${stage.url}/authorize`,
    token_endpoint: `${stage.url}/token`,
    jwks_uri: `${stage.url}/jwks`,
    id_token_signing_alg_values_supported: ['ES256'],
  }));
  stage.routes.set('/jwks', async () => ({
    keys: [{ ...(await exportJWK(signing.publicKey)), kid: signing.kid, alg: 'ES256' }],
  }));
  return {
    url: stage.url,
    stage,
    sign: (claims, header = {}) => {
      const now = nowSeconds();
      return new SignJWT({ iss: stage.url, iat: now, exp: now + 300, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: signing.kid, ...header })
        .sign(signing.privateKey);
    },
    rotate: async (next) => {
      signing = { kid: next, ...(await generateKeyPair('ES256')) };
    },
    [Symbol.asyncDispose]: () => stage.close(),
  };
}
