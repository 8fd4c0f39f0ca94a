/**
 * Owns an authorization server for tests: keys, a metadata document, a key set over real HTTP, and valid and invalid
 * tokens.
 */
import type { RequestListener } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import type { KeySource } from '../../src/authorization/issuer/key-source.ts';
import type { TokenRules } from '../../src/authorization/token/rules.ts';

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  /** PEM of the public key, for tests that use it as a secret. */
  readonly publicPem: string;
}

export async function signingKey(kid: string, algorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicJwk, publicPem: await exportSPKI(publicKey) };
}

/** The key that is tried first for a token with this key id. */
export const firstKey = async (keys: Pick<KeySource, 'candidates'>, kid: string): Promise<unknown> =>
  (await keys.candidates({ alg: 'ES256', kid })[Symbol.asyncIterator]().next()).value;

export interface TestIssuer extends TestServer {
  /** The published keys; may be changed. */
  readonly keys: JWK[];
  /** Paths that were requested. */
  readonly requests: string[];
  /** While false, every request is answered 500. */
  up: boolean;
  metadata: Record<string, unknown>;
  /** Handlers of other paths, such as status lists. */
  readonly routes: Map<string, RequestListener>;
}

export async function startIssuer(path = ''): Promise<TestIssuer> {
  const state = {
    keys: [] as JWK[],
    requests: [] as string[],
    up: true,
    metadata: {} as Record<string, unknown>,
    routes: new Map<string, RequestListener>(),
  };
  const documents: Record<string, () => unknown> = {
    [`/.well-known/oauth-authorization-server${path}`]: () => state.metadata,
    '/jwks': () => ({ keys: state.keys }),
  };
  const server = await serve((request, response) => {
    const url = request.url ?? '';
    state.requests.push(url);
    const route = state.up ? state.routes.get(url) : undefined;
    if (route) return route(request, response);
    const document = documents[url];
    response.writeHead(state.up ? (document ? 200 : 404) : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify((state.up && document?.()) || {}));
  });
  const url = `${server.url}${path}`;
  state.metadata = {
    issuer: url,
    jwks_uri: `${server.url}/jwks`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    registration_endpoint: `${url}/register`,
    unknown_to_us: 'kept',
  };
  return Object.assign(state, { url, close: server.close, [Symbol.asyncDispose]: server.close });
}

/** The rules of an issuer without settings, for this server at https://mcp.example. */
export const tokenRules = (issuer: string): TokenRules => ({
  issuer,
  audiences: ['https://mcp.example/mcp'],
  types: ['at+jwt'],
  algorithms: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
  clockTolerance: 5,
  subjectClaims: ['sub'],
  clientClaims: ['client_id', 'azp'],
  scopeClaims: ['scope', 'scp'],
  scopePrefixes: [],
  scopeMap: [],
  requiredClaims: [],
  variable: (name) => name,
});

export interface TokenOptions {
  readonly key: SigningKey;
  readonly claims: Record<string, unknown>;
  readonly header?: Partial<JWTHeaderParameters>;
}

/** Signs exactly the given members: `undefined` leaves a member out. */
export const signToken = ({ key, claims, header }: TokenOptions): Promise<string> =>
  new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid, ...header })
    .sign(key.privateKey);

/** Signs two texts unchanged, JSON or not, which no library would write. Uses ES256. */
export async function signText(header: string, payload: string, privateKey: CryptoKey): Promise<string> {
  const input = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}
