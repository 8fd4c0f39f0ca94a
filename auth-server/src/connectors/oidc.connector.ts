/**
 * Owns sign-in with any OpenID provider that can be discovered (OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4), with
 * PKCE, state, nonce and issuer checked by openid-client.
 */

import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { createPlace, type Place, withPublicEndpoints } from '@mcp-oauth/shared/network/place';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, isLoopback, oneOf, text, url } from '@mcp-oauth/shared/settings/types';
import * as oidc from 'openid-client';
import { z } from 'zod';
import { type ConnectorContext, defineConnector, type Identity, UpstreamError } from '../federation/connector.ts';
import { createUpstreamFetch } from '../federation/upstream-fetch.ts';

const settings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the OpenID provider; its metadata is read from the well-known place under this URL.',
    type: url(),
    example: 'https://id.example.com',
  }),
  internalUrl: optional({
    env: 'INTERNAL_URL',
    doc: 'Where this server reaches the OpenID provider, when that is not where browsers do: metadata, keys, tokens and userinfo are asked for here in the place of ISSUER, which stays the issuer. http only inside the network.',
    type: url(),
    example: 'http://keycloak:8080/realms/staff',
  }),
  clientId: setting({ env: 'CLIENT_ID', doc: 'Client id that the OpenID provider gave to this server.', type: text() }),
  clientSecret: optional({
    env: 'CLIENT_SECRET',
    doc: 'Client secret that the OpenID provider gave to this server. Needed unless CLIENT_AUTH is none.',
    type: text(),
    secret: true,
  }),
  clientAuth: setting({
    env: 'CLIENT_AUTH',
    doc: 'How the client secret is sent: client_secret_basic, client_secret_post (for providers that do not decode the Basic header) or none.',
    type: oneOf('client_secret_basic', 'client_secret_post', 'none'),
    default: 'client_secret_basic',
  }),
  scopes: setting({
    env: 'SCOPES',
    doc: 'Scopes that are asked for, separated by spaces. Must contain openid.',
    type: text(),
    default: 'openid profile email',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'How long the OpenID provider may take for one answer.',
    type: duration(1, 60),
    default: '10s',
  }),
};
type OidcSettings = Values<typeof settings>;

export default defineConnector({
  type: 'oidc',
  title: 'OpenID',
  settings,
  rules,
  open: (values, context) => {
    const metadata = remembered(() => discover(values, context));
    return {
      begin: (checks) =>
        translated(async () =>
          oidc.buildAuthorizationUrl(await metadata(), {
            redirect_uri: context.callbackUrl,
            scope: values.scopes,
            state: checks.state,
            nonce: checks.nonce,
            code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
            code_challenge_method: 'S256',
          }),
        ),
      finish: (answer, { state, nonce, codeVerifier }) =>
        translated(async () => {
          const upstream = await metadata();
          const tokens = await oidc.authorizationCodeGrant(upstream, answer, {
            expectedState: state,
            expectedNonce: nonce,
            pkceCodeVerifier: codeVerifier,
            idTokenExpected: true,
          });
          const claims = tokens.claims();
          if (!claims) throw new UpstreamError('invalid_answer', 'the upstream sent no id token');
          return toIdentity(claims, await missingClaims(upstream, claims, tokens.access_token));
        }),
    };
  },
});

function rules({ issuer, internalUrl, clientAuth, clientSecret, scopes }: OidcSettings): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (issuer.startsWith('http:') && !isLoopback(issuer)) {
    refuse('ISSUER', `must use https unless it is on this machine (got "${issuer}")`);
  }
  const outside = plainHttpOutside(internalUrl);
  if (outside) refuse('INTERNAL_URL', outside);
  if (clientAuth !== 'none' && clientSecret === undefined) {
    refuse('CLIENT_SECRET', 'is required but not set (or set CLIENT_AUTH to none)');
  }
  if (!scopes.split(' ').includes('openid')) refuse('SCOPES', `must contain openid (got "${scopes}")`);
  return problems;
}

/** Metadata is fetched at the first sign-in, kept, and asked for again after a failure: no order of start is needed. */
function remembered<T>(load: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => {
    const loading = kept ?? load();
    kept = loading;
    loading.catch(() => {
      if (kept === loading) kept = undefined;
    });
    return loading;
  };
}

async function discover(values: OidcSettings, { fetch }: ConnectorContext): Promise<oidc.Configuration> {
  // Named in full because openid-client would want the issuer to the letter, and operators leave its last slash out.
  const published = new URL(`${values.issuer}/.well-known/openid-configuration`);
  const place = createPlace(values.issuer, values.internalUrl);
  const bounded = createUpstreamFetch(fetch, values.timeout);
  try {
    const found = await oidc.discovery(published, values.clientId, {}, authentication(values), {
      // What openid-client sees and checks is public: it would not send a secret to an http endpoint of anybody else.
      [oidc.customFetch]: async (target, options) => {
        const response = await bounded(place.inside(target), options as RequestInit);
        return target === published.href ? publicMetadata(response, place) : response;
      },
      timeout: values.timeout,
      // The signature of the id token is checked even though it comes straight from the provider: a second lock.
      execute: [
        oidc.enableNonRepudiationChecks,
        ...(values.issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []),
      ],
    });
    const { issuer, authorization_endpoint, token_endpoint, jwks_uri } = found.serverMetadata();
    if (issuer.replace(/\/$/, '') !== values.issuer) throw new Error(`it calls itself ${issuer}`);
    if (!authorization_endpoint || !token_endpoint || !jwks_uri) throw new Error('an endpoint is missing');
    return found;
  } catch (cause) {
    const why = innermost(cause);
    if (why instanceof UpstreamError) throw why;
    throw new UpstreamError(
      'unavailable',
      `the metadata at ${place.inside(published.href)} can't be used: ${why.message}`,
      { cause },
    );
  }
}

async function publicMetadata(response: Response, place: Place): Promise<Response> {
  if (!response.ok) return response;
  const metadata = z.looseObject({}).parse(await response.json());
  return new Response(JSON.stringify(withPublicEndpoints(metadata, place)), response);
}

function authentication({ clientAuth, clientSecret = '' }: OidcSettings): oidc.ClientAuth {
  if (clientAuth === 'none') return oidc.None();
  return clientAuth === 'client_secret_post'
    ? oidc.ClientSecretPost(clientSecret)
    : oidc.ClientSecretBasic(clientSecret);
}

/** What an id token and userinfo may say of a person (OpenID Connect Core 1.0 §5.1). */
interface Claims {
  readonly name?: unknown;
  readonly preferred_username?: unknown;
  readonly email?: unknown;
  readonly email_verified?: unknown;
}

/** Some providers tell name and e-mail only at userinfo. They are for show, so a failure there stops nobody. */
async function missingClaims(
  upstream: oidc.Configuration,
  claims: Claims & { readonly sub: string },
  accessToken: string,
): Promise<Claims> {
  const complete = verifiedEmail(claims) && (said(claims.name) ?? said(claims.preferred_username));
  if (complete || !upstream.serverMetadata().userinfo_endpoint) return {};
  return oidc.fetchUserInfo(upstream, accessToken, claims.sub).catch(() => ({}));
}

const toIdentity = (claims: Claims & { readonly iss: string; readonly sub: string }, more: Claims): Identity => ({
  issuer: claims.iss,
  subject: claims.sub,
  name: said(claims.name) ?? said(more.name),
  username: said(claims.preferred_username) ?? said(more.preferred_username),
  email: verifiedEmail(claims) ?? verifiedEmail(more),
});

const said = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Address and flag of one source: one's word says nothing about the other's address. Cognito writes the flag as text. */
const verifiedEmail = ({ email, email_verified: verified }: Claims): string | undefined =>
  verified === true || verified === 'true' ? said(email) : undefined;

/** Whatever openid-client throws becomes one of the three reasons. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toUpstreamError(error);
  }
}

/** openid-client says in the causes what went wrong; one of ours says it all. */
function innermost(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error instanceof UpstreamError || !(error.cause instanceof Error) ? error : innermost(error.cause);
}

function toUpstreamError(error: unknown): UpstreamError {
  const found = innermost(error);
  if (found instanceof UpstreamError) return found;
  if (error instanceof oidc.AuthorizationResponseError) {
    const busy = error.error === 'temporarily_unavailable' || error.error === 'server_error';
    return new UpstreamError(busy ? 'unavailable' : 'denied', `the upstream answered ${error.error}`, { cause: error });
  }
  if (error instanceof oidc.ResponseBodyError) {
    // Our own registration there is wrong: nothing that the person could repair by trying again.
    const ours = error.error === 'invalid_client' || error.error === 'unauthorized_client';
    return new UpstreamError(ours ? 'unavailable' : 'invalid_answer', `the upstream answered ${error.error}`, {
      cause: error,
    });
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    return new UpstreamError('unavailable', `the upstream refused this server's credentials`, { cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new UpstreamError('invalid_answer', `the answer of the upstream can't be used: ${why}`, { cause: error });
}
