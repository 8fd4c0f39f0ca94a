/** Owns a sign-in of the client as itself, without a person (RFC 6749 §4.4, MCP extension OAuth Client Credentials). */
import { StartError } from '@mcp-oauth/shared/errors';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { assertSecureTokenEndpoint, type OAuthTokens, parseErrorResponse } from '@modelcontextprotocol/client';
import { formOf, tokenEndpoint } from './client/authentication.ts';
import type { Registered } from './client/registration.ts';
import type { Authority } from './discover.ts';
import { tokensOf } from './grant.ts';

interface MachineSignIn {
  /** With its secret or key. */
  readonly client: Registered;
  readonly scope: string | undefined;
}

/** @throws OAuthError, or StartError for an issuer that can't be asked */
export async function signInByCredentials(
  { issuer, metadata, resource }: Authority,
  { client, scope }: MachineSignIn,
  fetch: Fetch,
): Promise<OAuthTokens> {
  if (!metadata) throw new StartError(`no metadata of an authorization server was found at ${issuer} (RFC 8414 §3)`);
  const url = metadata.token_endpoint;
  const fields = { grant_type: 'client_credentials', scope, resource };
  const form = await formOf(client, tokenEndpoint(url, metadata), fields);
  const answer = await fetch(assertSecureTokenEndpoint(url), form);
  if (!answer.ok) throw await parseErrorResponse(answer);
  const { refresh_token: _, ...tokens } = tokensOf(await answer.json());
  return tokens;
}
