/** Owns how a grant that the engine does not have itself issues an access token: for one resource, with what may be issued now. */
import { seconds, systemClock } from '@mcp-oauth/shared/clock';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Resource, Resources } from '../../resources/resource.ts';
import { indicators, type ResourceInfo } from '../resource-indicators.ts';

/** What a token may be issued for now. */
export interface Issuable {
  readonly resource: Resource;
  readonly scopes: readonly string[];
  readonly info: Awaited<ReturnType<ResourceInfo>>;
}

/**
 * Leaves out the scopes that the resource does not have, and those that the person or the client may not have.
 * @throws InvalidScope if none is left
 */
export async function issuable(
  ctx: KoaContextWithOIDC,
  client: Client,
  { resource, scopes, resourceInfo }: Omit<Issuable, 'info'> & { readonly resourceInfo: ResourceInfo },
): Promise<Issuable> {
  const info = await resourceInfo(ctx, resource.identifiers[0], client);
  const known = new Set(info.scope.split(' '));
  const left = scopes.filter((name) => known.has(name));
  if (left.length > 0) return { resource, scopes: left, info };
  throw new errors.InvalidScope('none of the scopes can be issued', scopes.join(' '));
}

interface Issued extends Issuable {
  readonly model: 'AccessToken' | 'ClientCredentials';
  /** Who the token is for, and the grant that it belongs to. */
  readonly members: {
    readonly accountId: string;
    readonly grantId?: string;
    readonly gty?: string;
    /** Claims in place of those that a token of the grant has (overrides/token/access-token-form.ts). */
    readonly extra?: object;
  };
  /** Thumbprint of the key that the client proved (RFC 9449 §6.1). */
  readonly key: string | undefined;
  /** Seconds. */
  readonly longest: number;
}

export async function issueToken(
  ctx: KoaContextWithOIDC,
  client: Client,
  { model, members, resource, scopes, info, key, longest }: Issued,
): Promise<void> {
  if (!key && client.dpopBoundAccessTokens) throw new errors.InvalidGrant('DPoP proof JWT not provided');
  const models = ctx.oidc.provider as unknown as Models;
  const [identifier] = resource.identifiers;
  const scope = scopes.join(' ');
  const token = new models[model]({ client, scope, ...members });
  token.resourceServer = new models.ResourceServer(identifier, info);
  // The clock of the engine, which judges the times of its tokens.
  const now = seconds(systemClock);
  token.exp = now + Math.min(token.expiration, longest);
  if (key) token.setThumbprint('jkt', key);
  // The `sub` of a machine is no member that the engine stores.
  Object.assign(token, members);
  ctx.oidc.entity(model, token as never);
  ctx.body = {
    access_token: await token.save(),
    token_type: token.tokenType,
    expires_in: token.exp - now,
    scope,
    // draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.1
    resource: identifier,
  };
}

/** @returns whether a request with this parameter is about a resource: it names this one, or none */
export const resourceAmong = (parameter: unknown, resources: Resources) => {
  const asked = indicators(parameter);
  return (resource: Resource | undefined): boolean => asked.every((one) => resources.find(one) === resource);
};

/** The models of the engine, with the members that its types leave out. */
interface Models {
  readonly AccessToken: new (members: object) => Token;
  readonly ClientCredentials: new (members: object) => Token;
  readonly ResourceServer: new (identifier: string, info: object) => object;
}

interface Token {
  exp: number;
  /** Seconds. */
  readonly expiration: number;
  readonly tokenType: string;
  resourceServer: object;
  setThumbprint(kind: 'jkt', thumbprint: string): void;
  save(): Promise<string>;
}
