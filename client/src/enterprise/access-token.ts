/**
 * Owns the way from an ID token to an access token without a consent page (MCP enterprise-managed authorization): the identity provider
 * makes an ID-JAG of it, and the authorization server of the MCP server an access token of that. Both requests are those of the SDK.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject } from '@mcp-oauth/shared/json';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  type AuthorizationServerMetadata,
  buildDiscoveryUrls,
  CrossAppAccessProvider,
  fetchToken,
  OAuthError,
  type OAuthTokens,
  parseErrorResponse,
  requestJwtAuthorizationGrant,
} from '@modelcontextprotocol/client';
import { withinReach } from '../reach.ts';
import { authenticationOf, formOf, tokenEndpoint } from '../sign-in/client/authentication.ts';
import type { Registered } from '../sign-in/client/registration.ts';
import { withSignatures } from '../sign-in/grant.ts';
import { soon } from '../sign-in/renew.ts';
import { refusalOfIdentityProvider, refusalOfServer, wantsPerson } from './refusals.ts';

export interface AccessRequest {
  /** The URL of the MCP server. */
  readonly url: URL;
  /** The authorization server of the MCP server. */
  readonly server: string;
  readonly issuer: string;
  readonly metadata?: AuthorizationServerMetadata | undefined;
  readonly resource: string;
  readonly scope: string | undefined;
  /** This program at the authorization server, with its secret. */
  readonly client: Registered;
  /** The identity provider, and this program there, with its secret. */
  readonly idp: { readonly issuer: string; readonly client: Registered };
  readonly idToken: string;
}

interface AccessDependencies {
  readonly fetch: Fetch;
  /** Keeps texts from being shown: a server may repeat the request in its error. */
  readonly hide: (secrets: readonly string[]) => void;
}

/** @returns undefined if the identity provider wants the person to sign in again */
export async function accessTokenFor(
  request: AccessRequest,
  { fetch, hide }: AccessDependencies,
): Promise<OAuthTokens | undefined> {
  const idJag = await requestIdJag(request, fetch);
  if (idJag === undefined) return undefined;
  hide(withSignatures([idJag]));
  return redeem(request, idJag, fetch);
}

async function requestIdJag(
  { issuer, resource, scope, idp, idToken }: AccessRequest,
  fetch: Fetch,
): Promise<string | undefined> {
  const fetchFn = soon(withinReach(fetch, new URL(idp.issuer)));
  const metadata = await exchangeMetadata(idp.issuer, fetchFn);
  try {
    const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
      tokenEndpoint: metadata.token_endpoint,
      audience: issuer,
      resource,
      idToken,
      clientId: idp.client.client_id,
      ...(scope !== undefined && { scope }),
      fetchFn: authenticated(fetchFn, idp.client, metadata),
    });
    return jwtAuthGrant;
  } catch (error) {
    if (wantsPerson(error)) return undefined;
    throw refusalOfIdentityProvider(error, { idp: idp.issuer, client: idp.client.client_id, issuer, resource });
  }
}

/** What a token exchange needs of the metadata of an identity provider (RFC 8414 §2). The SDK wants all that a sign-in needs. */
interface ExchangeMetadata {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly token_endpoint_auth_methods_supported: readonly string[] | undefined;
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[] | undefined;
}

async function exchangeMetadata(issuer: string, fetch: Fetch): Promise<ExchangeMetadata> {
  for (const { url } of buildDiscoveryUrls(issuer)) {
    const answer = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual' });
    const body: unknown = answer.ok ? await answer.json().catch(() => undefined) : await answer.body?.cancel();
    if (!isObject(body)) continue;
    // RFC 8414 §3.3.
    if (body.issuer !== issuer) throw new StartError(`the metadata of ${issuer} names another issuer: compare --idp`);
    if (typeof body.token_endpoint !== 'string') continue;
    return {
      issuer,
      token_endpoint: body.token_endpoint,
      token_endpoint_auth_methods_supported: listIn(body.token_endpoint_auth_methods_supported),
      token_endpoint_auth_signing_alg_values_supported: listIn(body.token_endpoint_auth_signing_alg_values_supported),
    };
  }
  throw new StartError(`${issuer} has no metadata of an identity provider`);
}

const listIn = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.map(String) : undefined;

/** The SDK sends a secret in the form alone, and reports an OAuth error as a text. */
const authenticated =
  (fetch: Fetch, client: Registered, metadata: ExchangeMetadata): Fetch =>
  async (input, init) => {
    const { client_id: _, ...fields } = Object.fromEntries(new URLSearchParams(String(init?.body)));
    const answer = await fetch(input, await formOf(client, tokenEndpoint(metadata.token_endpoint, metadata), fields));
    if (!answer.ok) throw await parseErrorResponse(answer);
    return answer;
  };

async function redeem(request: AccessRequest, idJag: string, fetch: Fetch): Promise<OAuthTokens> {
  const { url, server, issuer, metadata, resource, scope, client, idp } = request;
  const provider = Object.assign(
    new CrossAppAccessProvider({
      assertion: () => idJag,
      clientId: client.client_id,
      clientSecret: client.client_secret ?? '',
      expectedIssuer: issuer,
    }),
    // A client may have no secret, and the SDK does not encode the two halves of Basic.
    { addClientAuthentication: authenticationOf(client) },
  );
  provider.saveAuthorizationServerUrl(issuer);
  provider.saveResourceUrl?.(resource);
  try {
    const { refresh_token: _, ...tokens } = await fetchToken(provider, server, {
      ...(metadata && { metadata }),
      resource,
      ...(scope !== undefined && { scope }),
      fetchFn: soon(withinReach(fetch, url)),
    });
    // Without a refresh token: each renewal asks the identity provider, which may have changed its mind.
    return tokens;
  } catch (error) {
    throw error instanceof OAuthError
      ? refusalOfServer(error, { issuer, idp: idp.issuer, client: client.client_id })
      : error;
  }
}
