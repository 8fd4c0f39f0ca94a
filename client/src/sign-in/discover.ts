/** Owns where a person signs in for an MCP server: its challenge, its metadata, and the metadata of its authorization server. */

import { StartError } from '@mcp-oauth/shared/errors';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  type AuthorizationServerMetadata,
  checkResourceAllowed,
  computeScopeUnion,
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  type OAuthServerInfo,
  resourceUrlFromServerUrl,
} from '@modelcontextprotocol/client';
import { requireReach } from '../reach.ts';

export interface Authority {
  /** The URL of the authorization server. */
  readonly server: string;
  readonly issuer: string;
  readonly metadata?: AuthorizationServerMetadata | undefined;
  /** The resource that tokens are asked for, as the server writes it (RFC 8707). */
  readonly resource?: string | undefined;
  readonly scope?: string | undefined;
}

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/**
 * @param issuer one of those that the server names; absent: the first
 * @throws StartError for a server that asks for no sign-in, or whose metadata is of another server
 */
export async function findAuthority(url: URL, fetch: Fetch, issuer?: string): Promise<Authority> {
  const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(PING), redirect: 'manual' });
  await answer.body?.cancel();
  const problem = answer.status === 401 && otherScheme(answer);
  if (problem) throw new StartError(problem);
  const challenge = extractWWWAuthenticateParams(answer);
  const { resourceMetadataUrl } = challenge;
  // The SDK would look elsewhere without a word.
  if (resourceMetadataUrl) requireReach(url, resourceMetadataUrl);
  const place = resourceMetadataUrl && { resourceMetadataUrl };
  const found =
    issuer === undefined
      ? await discoverOAuthServerInfo(url, { ...place, fetchFn: fetch })
      : await discoverNamed(url, issuer, place, fetch);
  const { authorizationServerUrl: server, authorizationServerMetadata: metadata, resourceMetadata } = found;
  if (answer.status !== 401 && !resourceMetadata) {
    throw new StartError(`the server asks for no sign-in: it answers ${answer.status} to a request without a token`);
  }
  const resource = resourceMetadata?.resource;
  const isOurs = (configuredResource: string) =>
    checkResourceAllowed({ requestedResource: resourceUrlFromServerUrl(url), configuredResource });
  if (resource !== undefined && !isOurs(resource)) {
    throw new StartError(`the metadata of the server is for ${resource}, which is not ${url.href} (RFC 9728 §3.3)`);
  }
  const scope = challenge.scope ?? resourceMetadata?.scopes_supported?.join(' ');
  return { server, issuer: metadata?.issuer ?? server, metadata, resource, scope };
}

async function discoverNamed(
  url: URL,
  issuer: string,
  place: { readonly resourceMetadataUrl: URL } | undefined,
  fetch: Fetch,
): Promise<OAuthServerInfo> {
  const resourceMetadata = await discoverOAuthProtectedResourceMetadata(url, place, fetch);
  const named = resourceMetadata.authorization_servers ?? [];
  // RFC 9728 §7.6: only the server itself says whose tokens it accepts.
  if (!named.includes(issuer))
    throw new StartError(`the server names ${named.join(', ') || 'no issuer'}, not ${issuer}`);
  const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch });
  return {
    authorizationServerUrl: issuer,
    ...(metadata && { authorizationServerMetadata: metadata }),
    resourceMetadata,
  };
}

/** RFC 9110 §11.6.1: the schemes of a challenge that has no bearer token among them, as a sentence. */
export function otherScheme({ headers }: Response): string | undefined {
  const challenge = headers.get('www-authenticate');
  if (challenge === null || /(^|,)\s*bearer\b/i.test(challenge)) return undefined;
  const [, scheme = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)/.exec(challenge) ?? [];
  if (/^dpop$/i.test(scheme))
    return 'the server takes only tokens with a proof of possession (DPoP, RFC 9449), which this client does not send';
  return `the server takes only the scheme ${scheme.slice(0, 40)}, and this client has bearer tokens only (RFC 6750)`;
}

/** What is asked for: what the server needs, what is wanted besides, and a refresh token where that is a scope. */
export function scopeOf(
  { scope, metadata }: Authority,
  ...wanted: readonly (string | undefined)[]
): string | undefined {
  const asked = computeScopeUnion(scope, ...wanted);
  const offline = metadata?.scopes_supported?.includes('offline_access') ? 'offline_access' : undefined;
  return asked && computeScopeUnion(asked, offline);
}
