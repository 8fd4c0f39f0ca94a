/** Owns a sign-in that an enterprise manages: once at its identity provider, then without a person at each of its MCP servers. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { computeScopeUnion, discoverAuthorizationServerMetadata } from '@modelcontextprotocol/client';
import { withinReach } from '../reach.ts';
import type { SignInDependencies, Wish } from '../sign-in/authorize.ts';
import type { SecretPlace } from '../sign-in/client/secret.ts';
import { type Authority, findAuthority } from '../sign-in/discover.ts';
import { clientOf, type EnterpriseSignIn, type Grant, secretsOf } from '../sign-in/grant.ts';
import { soon } from '../sign-in/renew.ts';
import type { TokenFile } from '../tokens/token-file.ts';
import { type AccessRequest, accessTokenFor } from './access-token.ts';
import { type IdentityProvider, idTokenOf, placeOf, signInAt } from './identity-provider.ts';

/** What the command line says of the identity provider; what it leaves out is as it was at the last sign-in. */
export interface EnterpriseWish {
  readonly idp?: string | undefined;
  readonly clientId?: string | undefined;
  readonly secret?: SecretPlace | undefined;
}

export interface EnterpriseDependencies extends SignInDependencies {
  /** The token file of a sign-in at an identity provider. */
  readonly fileAt: (place: URL) => TokenFile;
  /** Keeps texts from being shown. */
  readonly hide: (secrets: readonly string[]) => void;
}

const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';

/** @throws StartError, with who has to act */
export async function authorizeByEnterprise(
  url: URL,
  wish: Wish,
  given: EnterpriseWish,
  dependencies: EnterpriseDependencies,
): Promise<Grant> {
  const { fetch, fileAt, hide, secret } = dependencies;
  const authority = await findAuthority(url, soon(withinReach(fetch, url)), wish.issuer);
  const last = wish.last?.issuer === authority.issuer ? wish.last : undefined;
  const idp = await identityProviderOf(given, wish.last?.enterprise, fileAt);
  const client = clientIn(wish, last);
  warnUnlessAnnounced(authority, wish.say);
  const file = fileAt(placeOf(idp));
  const signIn = async () => {
    const grant = await signInAt(idp, wish, dependencies);
    hide(secretsOf(grant));
    await file.update(async () => grant);
    return grant.tokens.id_token;
  };
  const places = { url, authority, scope: scopesOf(authority, wish, last) };
  const request = (idToken: string) => requestOf(places, client, idp, idToken, secret);
  const moved = idp.secret;
  if (moved) await file.update(async (grant) => grant && { ...grant, secret: moved });
  const kept = await idTokenOf(file, dependencies);
  const tokens =
    (kept !== undefined && (await accessTokenFor(request(kept), dependencies))) ||
    (await accessTokenFor(request((await signIn()) ?? ''), dependencies));
  if (!tokens) throw new StartError(`the identity provider ${idp.issuer} refuses the ID token that it has just issued`);
  const { server, issuer, resource } = authority;
  const { issuer: at, clientId } = idp;
  return { server, issuer, resource, ...client, tokens, enterprise: { issuer: at, clientId } };
}

/**
 * @param at the MCP server
 * @returns undefined if the identity provider wants a person to sign in
 */
export async function renewByEnterprise(
  at: URL,
  grant: Grant & { readonly enterprise: EnterpriseSignIn },
  dependencies: Pick<EnterpriseDependencies, 'fetch' | 'secret' | 'now' | 'fileAt' | 'hide'>,
): Promise<Grant | undefined> {
  const { fetch, secret, fileAt } = dependencies;
  const { server, issuer, resource, enterprise, tokens } = grant;
  const file = fileAt(placeOf(enterprise));
  const idp = { ...enterprise, secret: (await file.read())?.secret };
  const metadata = await discoverAuthorizationServerMetadata(server, { fetchFn: soon(withinReach(fetch, at)) });
  if ((metadata?.issuer ?? server) !== issuer) return undefined;
  const places = { url: at, authority: { server, issuer, metadata, resource }, scope: tokens.scope };
  // A second time with a new ID token: the first may have been ended at the identity provider, together with its key.
  for (const refresh of [false, true]) {
    const idToken = await idTokenOf(file, dependencies, refresh);
    if (idToken === undefined) return undefined;
    const renewed = await accessTokenFor(requestOf(places, grant, idp, idToken, secret), dependencies);
    if (renewed)
      return { ...grant, tokens: { ...(tokens.scope !== undefined && { scope: tokens.scope }), ...renewed } };
  }
  return undefined;
}

/** @throws UsageError if nothing says which identity provider */
async function identityProviderOf(
  { idp, clientId, secret }: EnterpriseWish,
  last: EnterpriseSignIn | undefined,
  fileAt: EnterpriseDependencies['fileAt'],
): Promise<IdentityProvider> {
  const issuer = idp ?? last?.issuer;
  const id = clientId ?? last?.clientId;
  if (issuer === undefined || id === undefined) {
    throw new UsageError('the first sign-in with --enterprise needs --idp and --idp-client-id');
  }
  const place = secret ?? (await fileAt(placeOf({ issuer, clientId: id })).read())?.secret;
  return { issuer, clientId: id, secret: place };
}

/** This program at the authorization server. Nobody can register a client for ID-JAGs: both sides have to know it. */
function clientIn({ clientId, secret }: Wish, last: Grant | undefined): Pick<Grant, 'client' | 'secret'> {
  const id = clientId ?? (last?.enterprise && last.client.client_id);
  if (id === undefined) throw new UsageError('the first sign-in with --enterprise needs --client-id');
  const place = secret ?? (last?.client.client_id === id ? last.secret : undefined);
  return { client: { client_id: id }, ...(place && { secret: place }) };
}

/** identity-assertion-authz-grant §7.2: an authorization server that takes ID-JAGs should announce it, but need not. */
function warnUnlessAnnounced({ issuer, metadata }: Authority, say: (line: string) => void): void {
  const { authorization_grant_profiles_supported: profiles } = (metadata ?? {}) as JsonObject;
  if (Array.isArray(profiles) && profiles.includes(ID_JAG_PROFILE)) return;
  say(`client: ${issuer} does not announce that it takes ID-JAGs (authorization_grant_profiles_supported)`);
}

/** No scope for a refresh token: an ID-JAG takes its place. */
const scopesOf = ({ scope }: Authority, wish: Wish, last: Grant | undefined): string | undefined =>
  computeScopeUnion(scope, last?.enterprise && last.tokens.scope, wish.scope);

function requestOf(
  { url, authority, scope }: { readonly url: URL; readonly authority: Authority; readonly scope: string | undefined },
  client: Pick<Grant, 'client' | 'secret'>,
  idp: IdentityProvider,
  idToken: string,
  read: SignInDependencies['secret'],
): AccessRequest {
  const { server, issuer, metadata, resource } = authority;
  if (resource === undefined) {
    throw new StartError(`${url.host} has no metadata (RFC 9728), so that no ID-JAG can name it as its resource`);
  }
  const there = { client: { client_id: idp.clientId }, secret: idp.secret };
  return {
    url,
    server,
    issuer,
    metadata,
    resource,
    scope,
    client: clientOf(client, read),
    idp: { issuer: idp.issuer, client: clientOf(there, read) },
    idToken,
  };
}
