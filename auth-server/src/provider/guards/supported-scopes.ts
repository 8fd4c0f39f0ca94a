/** Owns `scopes_supported` of our metadata (RFC 8414 §2): our own scopes, and the currently known scopes of the resources. */
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Resources } from '../../resources/resource.ts';
import { OWN_SCOPES } from '../resource-indicators.ts';

/** The engine gets its scopes when it is created, but the scopes of a resource may change later. */
export function listScopes(resources: Resources): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    if (oidc?.route !== 'discovery' || ctx.status !== 200) return;
    await Promise.all(resources.all.map((resource) => resource.ready()));
    Object.assign(ctx.body as object, { scopes_supported: [...OWN_SCOPES, ...resources.scopes()] });
  };
}
