/** Owns a sign-in in the browser of this machine: authorization code with PKCE and a loopback redirect (RFC 8252). */
import { randomUUID } from 'node:crypto';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  exchangeAuthorization,
  type OAuthTokens,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from '@modelcontextprotocol/client';
import { authenticationOf } from './client/authentication.ts';
import type { Registered } from './client/registration.ts';
import type { Authority } from './discover.ts';
import { refusal } from './grant.ts';
import { listenOnLoopback } from './loopback.ts';

/** A person has to read, and may have to find a second factor. */
const PATIENCE = 5 * 60_000;

export interface BrowserSignIn {
  readonly scope: string | undefined;
  /** The redirect URL of the last sign-in, which is used again if its port is free. */
  readonly redirectUrl?: string | undefined;
  /** The only port that the authorization server knows. */
  readonly port?: number | undefined;
  readonly clientOf: (redirectUrl: string) => Promise<Registered>;
  /** Shows the person the URL. */
  readonly show: (url: URL) => void;
}

export async function signInByBrowser(
  { server, metadata, resource }: Authority,
  { scope, redirectUrl, port, clientOf, show }: BrowserSignIn,
  fetch: Fetch,
): Promise<{ readonly client: Registered; readonly tokens: OAuthTokens }> {
  const state = randomUUID();
  await using loopback = await listenOnLoopback(state, redirectUrl, port);
  const client = await clientOf(loopback.redirectUrl);
  const request = {
    ...(metadata && { metadata }),
    ...(resource !== undefined && { resource }),
    clientInformation: client,
  };
  const { authorizationUrl, codeVerifier } = await startAuthorization(server, {
    ...request,
    ...(scope !== undefined && { scope }),
    state,
    redirectUrl: loopback.redirectUrl,
  });
  show(authorizationUrl);
  const answer = await loopback.answer(PATIENCE);
  const iss = answer.get('iss') ?? undefined;
  // RFC 9207 §2.4: before anything else in the answer is believed.
  validateAuthorizationResponseIssuer({
    iss,
    expectedIssuer: metadata?.issuer,
    issParameterSupported: metadata?.authorization_response_iss_parameter_supported === true,
  });
  const code = answer.get('code');
  if (!code) {
    const otherwise = 'the answer of the authorization server has neither code nor error';
    throw refusal(answer.get('error'), answer.get('error_description'), otherwise);
  }
  const tokens = await exchangeAuthorization(server, {
    ...request,
    authorizationCode: code,
    ...(iss !== undefined && { iss }),
    codeVerifier,
    redirectUri: loopback.redirectUrl,
    addClientAuthentication: authenticationOf(client),
    fetchFn: fetch,
  });
  return { client, tokens };
}
