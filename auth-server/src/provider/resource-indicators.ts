/** Owns RFC 8707 towards the engine: resource indicator to audience, scopes and token lifetime; RFC 9068 tokens for all. */
import { decodeJwt } from 'jose';
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { SigningKey } from '../keys/signing-key.ts';
import type { Resource, Resources } from '../resources/resource.ts';
import { effectiveScope, grantableScopes, hasUnknownScope, namesOf } from '../resources/scope.ts';
import { scopeBound } from './clients/policy.ts';

/** Scopes of this server itself, beside those of the resources. */
export const OWN_SCOPES = ['openid', 'offline_access'] as const;

export const own: ReadonlySet<string> = new Set(OWN_SCOPES);
const NONE: ReadonlySet<string> = new Set();
const AUTHORIZATION_ROUTES = new Set(['authorization', 'resume', 'pushed_authorization_request']);

type Indicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** The identifiers in a `resource` parameter or member, which may be one, many or none. */
export const indicators = (resource: unknown): readonly string[] =>
  [resource].flat().filter((identifier) => typeof identifier === 'string');

const unknownTarget = (resources: Resources): errors.OIDCProviderError => {
  const expected = resources.all.map(({ identifiers }) => identifiers[0]).join(' or ');
  return new errors.InvalidTarget(`resource must be ${expected}`);
};

/** @param signing the key that signs now */
export function resourceIndicators(resources: Resources, { alg, kid }: SigningKey): Indicators {
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

/** The last word on what an authorization request asks for, before anything is shown or granted. */
async function narrow(ctx: KoaContextWithOIDC, resource: Resource, resources: Resources): Promise<void> {
  const params = parameters(ctx);
  // A person is asked about one server at a time, and a token is for one audience.
  if (indicators(params.resource).some((other) => resources.find(other) !== resource)) {
    throw new errors.InvalidTarget('ask for one resource at a time');
  }
  params.scope = askedScope(ctx, params.scope);
  await grantScope(ctx, resource, { own });
}

/**
 * What the request gets of what it asks for. For a client that the operator wrote down the registration is the bound; a machine
 * has no other, as nobody is asked (RFC 6749 §4.4.2).
 */
async function grantScope(ctx: KoaContextWithOIDC, resource: Resource, { own = NONE }: { own?: ReadonlySet<string> }) {
  const params = parameters(ctx);
  const asked = typeof params.scope === 'string' ? params.scope : undefined;
  const bound = scopeBound(ctx.oidc.client);
  // The resource may have got it since it was asked last.
  if (hasUnknownScope(asked, resource, own)) await resource.renew();
  const granted = effectiveScope(asked, resource, { own, bound });
  if (!granted) {
    const known = grantableScopes(resource, bound).join(' ');
    throw new errors.InvalidScope(
      `none of these scopes can be granted here, only ${known || 'no scope at all'}`,
      asked ?? '',
    );
  }
  params.scope = granted;
}

/**
 * What a token for this resource may have now: what the resource knows, within the bound of a client that the operator wrote
 * down, as it is today. While a resource could not be asked what its scopes are, as after a start without it, what a person
 * approved before is known to be one: a token that is renewed must not lose it.
 */
export function issuableScopes(ctx: KoaContextWithOIDC, identifier: string, resource: Resource): readonly string[] {
  const approved = resource.isCertain ? '' : (ctx.oidc.entities.Grant?.getResourceScope(identifier) ?? '');
  const bound = scopeBound(ctx.oidc.client);
  const within = bound === undefined ? undefined : new Set(namesOf(bound));
  return [...new Set([...Object.keys(resource.scopes), ...namesOf(approved)])].filter(
    (name) => within?.has(name) ?? true,
  );
}

/**
 * The engine drops `offline_access` where `prompt=consent` is missing. OpenID Connect Core §11 lets it stay where a person is
 * asked all the same, as here; and it has to: clients that were refused nothing name it again at every refresh.
 */
function askedScope(ctx: KoaContextWithOIDC, kept: unknown): string {
  const stays =
    namesOf(sentScope(ctx)).includes('offline_access') && ctx.oidc.client?.grantTypeAllowed('refresh_token');
  return `${kept ?? ''} ${stays ? 'offline_access' : ''}`.trim();
}

/** The scope as the client sent it, with the request or ahead of it (RFC 9126 §4). */
function sentScope(ctx: KoaContextWithOIDC): string | undefined {
  const { request } = ctx.oidc.entities.PushedAuthorizationRequest ?? {};
  const sent = request ? decodeJwt(request) : (ctx.oidc.body ?? ctx.query);
  return typeof sent.scope === 'string' ? sent.scope : undefined;
}

const parameters = (ctx: KoaContextWithOIDC): Record<string, unknown> => ctx.oidc.params ?? {};
