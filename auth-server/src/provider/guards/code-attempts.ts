/** Ensures that an authorization code can be presented once only, valid or not, so that nobody can guess the verifier (RFC 9700 §2.1.1). */
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

export function spendFailedCodes(provider: Provider): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    if (oidc?.route !== 'token' || !oidc.client || (ctx.body as { error?: string })?.error !== 'invalid_grant') return;
    const { code } = (oidc.params ?? {}) as { code?: unknown };
    if (typeof code !== 'string') return;
    const failed = await provider.AuthorizationCode.find(code);
    // A consumed code stays in the store, so that its replay is detected.
    if (failed?.isValid && failed.clientId === oidc.client.clientId) await failed.destroy();
  };
}
