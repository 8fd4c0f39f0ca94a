/** Owns a development IdP in a test, its clients, and a browser that signs somebody in there. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import * as oidc from 'openid-client';
import { compose } from '../../src/compose.ts';

export const URL_OF_IDP = 'http://localhost:9001';
const VERIFIER = 'a-code-verifier-that-is-long-enough-for-rfc-7636-4.1';

export async function startIdp(env: Readonly<Record<string, string>> = {}, clock?: Clock) {
  const log = createLogger('development-idp', 'silent');
  const service = await compose(env, { log, ...(clock && { clock }) });
  const server = await serve(service.handler);
  /** The IdP under its public URL, wherever it really listens. */
  const call: typeof fetch = (input, init) =>
    fetch(String(input).replace(URL_OF_IDP, server.url), { redirect: 'manual', ...init });
  return { service, call, [Symbol.asyncDispose]: () => server.close() };
}
export type Idp = Awaited<ReturnType<typeof startIdp>>;

export interface IdpClient {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
  readonly scope: string;
}

export const AUTH_SERVER: IdpClient = {
  id: 'auth-server',
  secret: 'development-only-secret',
  redirectUri: 'http://localhost:9000/callback/development',
  scope: 'openid profile email',
};

export const configurationOf = ({ call }: Idp, { id, secret }: IdpClient = AUTH_SERVER): Promise<oidc.Configuration> =>
  oidc.discovery(new URL(URL_OF_IDP), id, {}, oidc.ClientSecretBasic(secret), {
    [oidc.customFetch]: (url, options) => call(url, options as RequestInit),
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });

/** A browser with one cookie jar. It follows redirects within the IdP and returns the last answer with its target. */
export function createBrowser({ call }: Idp) {
  const jar = new Map<string, string>();
  return async function visit(target: string, init: RequestInit = {}): Promise<{ page: Response; location: URL }> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await call(new URL(target, URL_OF_IDP), { ...init, headers: { cookie, accept: 'text/html' } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = new URL(response.headers.get('location') ?? target, URL_OF_IDP);
    const within = response.headers.has('location') && location.origin === URL_OF_IDP;
    return within ? visit(location.href) : { page: response, location };
  };
}

export async function request(idp: Idp, client: IdpClient = AUTH_SERVER) {
  const upstream = await configurationOf(idp, client);
  const target = oidc.buildAuthorizationUrl(upstream, {
    redirect_uri: client.redirectUri, scope: client.scope, state: 'state', nonce: 'nonce',
    code_challenge: await oidc.calculatePKCECodeChallenge(VERIFIER), code_challenge_method: 'S256',
    ...(client.scope.includes('offline_access') && { prompt: 'consent' }),
  }); // biome-ignore format: one row
  return { upstream, target: target.href };
}

export const choose = (person: string): RequestInit => ({ method: 'POST', body: new URLSearchParams({ person }) });

export const redeem = (upstream: oidc.Configuration, answer: URL) =>
  oidc.authorizationCodeGrant(upstream, answer, {
    expectedState: 'state',
    expectedNonce: 'nonce',
    pkceCodeVerifier: VERIFIER,
  });

/** The whole sign-in of a person at a client. */
export async function signIn(idp: Idp, client: IdpClient, person: string) {
  const { upstream, target } = await request(idp, client);
  const visit = createBrowser(idp);
  const { location } = await visit(target);
  const { location: answer } = await visit(location.href, choose(person));
  return { upstream, tokens: await redeem(upstream, answer) };
}
