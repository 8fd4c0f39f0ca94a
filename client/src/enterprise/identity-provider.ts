/**
 * Owns the sign-in at the identity provider of an enterprise (OpenID Connect Core 1.0 §3.1): one for all MCP servers, whose ID token is
 * renewed without a person for as long as the identity provider allows it.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import { discoverAuthorizationServerMetadata } from '@modelcontextprotocol/client';
import { decodeJwt, type JWTPayload } from 'jose';
import { requireReach, withinReach } from '../reach.ts';
import type { SignInDependencies, Wish } from '../sign-in/authorize.ts';
import { signInByBrowser } from '../sign-in/by-browser.ts';
import { signInByDevice } from '../sign-in/by-device.ts';
import type { SecretPlace } from '../sign-in/client/secret.ts';
import { clientOf, type EnterpriseSignIn, type Grant, secretsOf } from '../sign-in/grant.ts';
import { renew, soon } from '../sign-in/renew.ts';
import type { TokenFile } from '../tokens/token-file.ts';

/** How this program is known to an identity provider. */
export interface IdentityProvider extends EnterpriseSignIn {
  readonly secret?: SecretPlace | undefined;
}

/** A name for the token file of the sign-in. No MCP server has it: their URLs have no fragment. */
export const placeOf = ({ issuer, clientId }: EnterpriseSignIn): URL =>
  new URL(`#${encodeURIComponent(clientId)}`, issuer);

/** Signs a person in, with the browser or with a code. @returns the tokens, among them an ID token */
export async function signInAt(
  { issuer, clientId, secret: place }: IdentityProvider,
  { device, browser, port, say, draw }: Pick<Wish, 'device' | 'browser' | 'port' | 'say' | 'draw'>,
  { fetch, secret, openBrowser, now, wait }: SignInDependencies,
): Promise<Grant> {
  const at = new URL(issuer);
  const fetchFn = soon(withinReach(fetch, at));
  const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn });
  if (!metadata)
    throw new StartError(`${issuer} has no metadata of an identity provider: compare --idp with its issuer`);
  const authority = { server: issuer, issuer, metadata };
  const client = { client_id: clientId };
  const scope = metadata.scopes_supported?.includes('offline_access') === false ? 'openid' : 'openid offline_access';
  const clientWithSecret = async () => clientOf({ client, secret: place }, secret);
  const show = (page: URL, code?: string, complete?: URL) => {
    requireReach(at, page);
    say(
      `Sign in at your identity provider:\n\n  ${page.href}\n${code === undefined ? '' : `\nIt asks for ${code}.\n`}`,
    );
    if (complete) draw?.(complete);
    if (code === undefined && browser) openBrowser(page);
  };
  const { tokens } = device
    ? await signInByDevice(authority, { scope, clientOf: clientWithSecret, show, now, wait }, fetchFn)
    : await signInByBrowser(authority, { scope, port, clientOf: clientWithSecret, show }, fetchFn);
  if (!isOurs(tokens.id_token, { issuer, clientId })) {
    throw new StartError(
      `${issuer} gives no ID token of its own for the client ${clientId} (OpenID Connect Core §3.1.3.7)`,
    );
  }
  return { server: issuer, issuer, client, ...(place && { secret: place }), tokens };
}

interface IdTokenDependencies extends Pick<SignInDependencies, 'fetch' | 'secret' | 'now'> {
  /** Keeps texts from being shown. */
  readonly hide: (secrets: readonly string[]) => void;
}

/**
 * @param refresh whether the ID token is renewed although it has not expired
 * @returns an ID token, or undefined if a person has to sign in
 */
export async function idTokenOf(
  file: TokenFile,
  { fetch, secret, now, hide }: IdTokenDependencies,
  refresh = false,
): Promise<string | undefined> {
  let isOver = false;
  const grant = await file.update(async (kept) => {
    if (kept) hide(secretsOf(kept));
    if (!kept || (!refresh && isFresh(kept.tokens.id_token, now()))) return kept;
    const renewed = await renew(new URL(kept.issuer), kept, fetch, secret);
    if (renewed) hide(secretsOf(renewed));
    isOver = !isFresh(renewed?.tokens.id_token, now());
    // A refresh token that is used up must not be kept, even if no ID token came with the new one.
    return renewed ?? kept;
  });
  return isOver ? undefined : grant?.tokens.id_token;
}

/** Milliseconds that the way to the identity provider may take. */
const MARGIN = 60_000;

const isFresh = (token: string | undefined, now: number): boolean => (claimsOf(token)?.exp ?? 0) * 1000 - MARGIN > now;

/** The token came from the token endpoint itself, so that its signature need not be checked (OpenID Connect Core §3.1.3.7). */
function isOurs(token: string | undefined, { issuer, clientId }: EnterpriseSignIn): boolean {
  const { iss, aud } = claimsOf(token) ?? {};
  return iss === issuer && [aud].flat().includes(clientId);
}

function claimsOf(token: string | undefined): JWTPayload | undefined {
  try {
    return token === undefined ? undefined : decodeJwt(token);
  } catch {
    return undefined;
  }
}
