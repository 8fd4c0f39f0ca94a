/** Owns RFC 8707 towards the engine: resource indicator to audience, scopes and token lifetime; RFC 9068 tokens for all. */
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { effectiveScope, grantedSpelling, machineScope, type Resource, type Resources } from '../consent/resource.ts';
import type { SigningKey } from '../keys/signing-key.ts';

/** Scopes of this server itself, beside those of the resources. */
export const OWN_SCOPES = ['openid', 'offline_access'] as const;

const own: ReadonlySet<string> = new Set(OWN_SCOPES);
const AUTHORIZATION_ROUTES = new Set(['authorization', 'resume']);

type Indicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** The identifiers in a `resource` parameter or member, which may be one, many or none. */
export const indicators = (resource: unknown): readonly string[] =>
  [resource].flat().filter((identifier) => typeof identifier === 'string');

export const unknownTarget = (resources: Resources): errors.OIDCProviderError => {
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
      if (AUTHORIZATION_ROUTES.has(ctx.oidc.route)) narrow(ctx, identifier, resources);
      if (parameters(ctx).grant_type === 'client_credentials') narrowMachine(ctx, resource);
      return {
        scope: Object.keys(resource.scopes).join(' '),
        audience: resource.audience,
        ...(resource.accessTokenLifetime && { accessTokenTTL: resource.accessTokenLifetime }),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg, kid } },
      };
    },
  };
}

/** The last word on what an authorization request asks for, before anything is shown or granted. */
function narrow(ctx: KoaContextWithOIDC, identifier: string, resources: Resources): void {
  const params = parameters(ctx);
  const resource = resources.find(identifier);
  if (!resource) return;
  // A person is asked about one server at a time, and a token is for one audience.
  if (indicators(params.resource).some((other) => resources.find(other) !== resource)) {
    throw new errors.InvalidTarget('ask for one resource at a time');
  }
  params.scope = effectiveScope(askedScope(ctx, params.scope), resource, own);
}

/** RFC 6749 §4.4.2: nobody is asked, so the registration is the bound. */
function narrowMachine(ctx: KoaContextWithOIDC, resource: Resource): void {
  const params = parameters(ctx);
  const asked = typeof params.scope === 'string' ? params.scope : undefined;
  const granted = machineScope(asked, resource, ctx.oidc.client?.scope);
  if (!granted)
    throw new errors.InvalidScope('none of these scopes is known here or allowed to this client', asked ?? '');
  params.scope = granted;
}

/**
 * The engine drops `offline_access` where `prompt=consent` is missing. OpenID Connect Core §11 lets it stay where a person is
 * asked all the same, as here; and it has to: clients that were refused nothing name it again at every refresh.
 */
function askedScope(ctx: KoaContextWithOIDC, kept: unknown): string {
  const { scope } = (ctx.oidc.body ?? ctx.query) as { readonly scope?: unknown };
  const wanted = typeof scope === 'string' && scope.split(' ').includes('offline_access');
  const stays = wanted && ctx.oidc.client?.grantTypeAllowed('refresh_token');
  return `${kept ?? ''} ${stays ? 'offline_access' : ''}`.trim();
}

/** RFC 8707 §2.2: the resource at /token means the one that was granted, however either is spelled. */
export function alignResource(ctx: KoaContextWithOIDC, granted: unknown, resources: Resources): void {
  const params = ctx.oidc.params && parameters(ctx);
  if (typeof params?.resource !== 'string') return;
  params.resource = grantedSpelling(params.resource, indicators(granted), resources);
}

const parameters = (ctx: KoaContextWithOIDC): Record<string, unknown> => ctx.oidc.params ?? {};
