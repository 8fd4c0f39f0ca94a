/** Owns RFC 8707 for the engine: it maps a resource indicator to audience, scopes and token lifetime, with RFC 9068 tokens for all. */
import { decodeJwt } from 'jose';
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { stateOf } from '../context-state.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import type { Resource, Resources } from '../resources/resource.ts';
import {
  allScopes,
  effectiveScope,
  grantableScopes,
  hasUnknownScope,
  namesOf,
  type ScopeBounds,
} from '../resources/scope.ts';
import { scopeBound } from './clients/policy.ts';

/** Scopes of this server itself, in addition to those of the resources. */
export const OWN_SCOPES = ['openid', 'offline_access'] as const;

export const own: ReadonlySet<string> = new Set(OWN_SCOPES);
const NONE: ReadonlySet<string> = new Set();
const AUTHORIZATION_ROUTES = new Set([
  'authorization', 'resume', 'pushed_authorization_request', 'device_authorization', 'code_verification', 'device_resume',
]); // biome-ignore format: one list

type Indicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;
/** Audience, scopes and lifetime of a resource, the same for all grants. */
export type ResourceInfo = NonNullable<Indicators['getResourceServerInfo']>;

/** The identifiers in a `resource` parameter or member, which may be one, many or none. */
export const indicators = (resource: unknown): readonly string[] =>
  [resource].flat().filter((identifier) => typeof identifier === 'string');

const unknownTarget = (resources: Resources): errors.OIDCProviderError => {
  const expected = resources.all.map(({ identifiers }) => identifiers[0]).join(' or ');
  return new errors.InvalidTarget(`resource must be ${expected}`);
};

/** @param signing the current signing key */
export function resourceIndicators(
  resources: Resources,
  { alg, kid }: SigningKey,
): Indicators & { readonly getResourceServerInfo: ResourceInfo } {
  return {
    enabled: true,
    defaultResource: async (_ctx, _client, oneOf) => {
      const [first] = indicators(oneOf);
      return first ?? resources.default.identifiers[0];
    },
    useGrantedResource: async () => true,
    getResourceServerInfo: async (ctx, identifier) => {
      const resource = resources.find(identifier);
      if (!resource) throw unknownTarget(resources);
      await resource.ready();
      if (AUTHORIZATION_ROUTES.has(ctx.oidc.route)) await narrow(ctx, resource, resources);
      if (parameters(ctx).grant_type === 'client_credentials') await grantScope(ctx, resource, {});
      return {
        scope: issuableScopes(ctx, identifier, resource).join(' '),
        audience: resource.audience,
        ...(resource.accessTokenLifetime && { accessTokenTTL: resource.accessTokenLifetime }),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg, kid } },
      };
    },
  };
}

/** Determines the final resource and scope of an authorization request, before anything is shown or granted. */
async function narrow(ctx: KoaContextWithOIDC, resource: Resource, resources: Resources): Promise<void> {
  const params = parameters(ctx);
  // The page asks for one server, and a token has one audience.
  if (indicators(params.resource).some((other) => resources.find(other) !== resource)) {
    throw new errors.InvalidTarget('only one resource per request is supported');
  }
  params.scope = askedScope(ctx, params.scope);
  await grantScope(ctx, resource, { own, hasPerson: true });
}

/**
 * Sets the scope that the request gets. The configuration of a pre-registered client limits it; for a machine client this is the
 * only limit, because no person is asked (RFC 6749 §4.4.2).
 */
async function grantScope(ctx: KoaContextWithOIDC, resource: Resource, bounds: Omit<ScopeBounds, 'bound'>) {
  const params = parameters(ctx);
  const asked = typeof params.scope === 'string' ? params.scope : undefined;
  const bound = scopeBound(ctx.oidc.client);
  // The resource may have added the scope since its metadata was read.
  if (hasUnknownScope(asked, resource, bounds.own ?? NONE)) await resource.renew();
  const granted = effectiveScope(asked, resource, { ...bounds, bound });
  if (!granted) {
    const known = grantableScopes(resource, bound).join(' ');
    throw new errors.InvalidScope(`none of these scopes can be granted; possible: ${known || 'none'}`, asked ?? '');
  }
  params.scope = granted;
}

/**
 * The scopes that a token for this resource may have now: those of the resource, within the current limit of a pre-registered
 * client, and those that the person of a code or refresh token may have. While the scopes of a resource could not be read, such as after a start without it, approved scopes count as existing, so
 * that a refresh does not lose them.
 */
export function issuableScopes(ctx: KoaContextWithOIDC, identifier: string, resource: Resource): readonly string[] {
  const approved = resource.isCertain ? '' : (ctx.oidc.entities.Grant?.getResourceScope(identifier) ?? '');
  const bound = scopeBound(ctx.oidc.client);
  const within = bound === undefined ? undefined : new Set(namesOf(bound));
  const names = [...new Set([...allScopes(resource), ...namesOf(approved)])].filter(
    (name) => within?.has(name) ?? true,
  );
  return stateOf(ctx).permitted?.(names, resource.baseScopes) ?? names;
}

/**
 * The engine drops `offline_access` if `prompt=consent` is missing. OpenID Connect Core §11 allows it if the person is asked anyway,
 * as here. It must stay, because clients repeat the scope at every refresh.
 */
function askedScope(ctx: KoaContextWithOIDC, kept: unknown): string {
  const stays =
    namesOf(sentScope(ctx)).includes('offline_access') && ctx.oidc.client?.grantTypeAllowed('refresh_token');
  return `${kept ?? ''} ${stays ? 'offline_access' : ''}`.trim();
}

/** The scope as the client sent it, in the request or in a pushed request (RFC 9126 §4). */
function sentScope(ctx: KoaContextWithOIDC): string | undefined {
  const { request } = ctx.oidc.entities.PushedAuthorizationRequest ?? {};
  const sent = request ? decodeJwt(request) : (ctx.oidc.body ?? ctx.query);
  return typeof sent.scope === 'string' ? sent.scope : undefined;
}

const parameters = (ctx: KoaContextWithOIDC): Record<string, unknown> => ctx.oidc.params ?? {};
