/** Owns what happens to tokens after the sign-in: they are renewed (RFC 6749 §6) and revoked (RFC 7009), where they come from. */
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  assertSecureTokenEndpoint,
  discoverAuthorizationServerMetadata,
  OAuthError,
  refreshAuthorization,
} from '@modelcontextprotocol/client';
import { withinReach } from '../reach.ts';
import { signInByCredentials } from './by-credentials.ts';
import { authenticationOf, formOf } from './client/authentication.ts';
import type { ReadSecret } from './client/secret.ts';
import { clientOf, type Grant } from './grant.ts';

/** Whoever waits for the token file waits for this. */
const PATIENCE = 15_000;

/** A fetch that ends in time, its body too. */
export const soon =
  (fetch: Fetch): Fetch =>
  (input, init) =>
    fetch(input, { ...init, signal: AbortSignal.timeout(PATIENCE) });

/** RFC 6749 §5.2: any other error may pass. */
const OVER: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client']);

/**
 * @param at the MCP server
 * @returns undefined if the authorization server does not renew the tokens: a person has to sign in
 */
export async function renew(at: URL, grant: Grant, fetch: Fetch, secret: ReadSecret): Promise<Grant | undefined> {
  const { server, issuer, resource, tokens } = grant;
  if (tokens.refresh_token === undefined && !grant.machine) return undefined;
  const client = clientOf(grant, secret);
  const fetchFn = soon(withinReach(fetch, at));
  const metadata = await discoverAuthorizationServerMetadata(server, { fetchFn });
  if ((metadata?.issuer ?? server) !== issuer) return undefined;
  try {
    const { refresh_token: refreshToken, scope } = tokens;
    const renewed =
      refreshToken === undefined
        ? await signInByCredentials({ server, issuer, metadata, resource }, { client, scope }, fetchFn)
        : await refreshAuthorization(server, {
            ...(metadata && { metadata }),
            clientInformation: client,
            addClientAuthentication: authenticationOf(client),
            refreshToken,
            ...(resource !== undefined && { resource }),
            fetchFn,
          });
    return { ...grant, tokens: { ...(tokens.scope !== undefined && { scope: tokens.scope }), ...renewed } };
  } catch (error) {
    if (error instanceof OAuthError && OVER.has(error.code)) return undefined;
    throw error;
  }
}

/** RFC 8414 §2. */
interface RevocationMetadata {
  readonly revocation_endpoint?: string;
  readonly revocation_endpoint_auth_methods_supported?: readonly string[];
  readonly revocation_endpoint_auth_signing_alg_values_supported?: readonly string[];
}

/**
 * @param at the MCP server
 * @returns whether the authorization server has revoked the tokens
 */
export async function revoke(at: URL, grant: Grant, fetch: Fetch, secret: ReadSecret): Promise<boolean> {
  const { server, issuer, tokens } = grant;
  const client = clientOf(grant, secret);
  const fetchFn = soon(withinReach(fetch, at));
  try {
    const metadata = await discoverAuthorizationServerMetadata(server, { fetchFn });
    const {
      revocation_endpoint: endpoint,
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    } = (metadata as RevocationMetadata | undefined) ?? {};
    if (!endpoint || metadata?.issuer !== issuer) return false;
    const given = [
      { token: tokens.refresh_token, token_type_hint: 'refresh_token' },
      { token: tokens.access_token, token_type_hint: 'access_token' },
    ].filter(({ token }) => token !== undefined);
    const statuses = await Promise.all(
      given.map(async (fields) => {
        const form = await formOf(client, { url: endpoint, issuer, methods, algorithms }, fields);
        const answer = await fetchFn(assertSecureTokenEndpoint(endpoint), form);
        await answer.body?.cancel();
        return answer.ok;
      }),
    );
    // The end of a refresh token ends its access tokens, which many servers do not revoke one by one (RFC 7009 §2.2.1).
    return statuses[0] === true;
  } catch {
    return false;
  }
}
