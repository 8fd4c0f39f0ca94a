/**
 * Owns the `redirect_uri` of a code exchange. RFC 6749 §4.1.3 requires it; OAuth 2.1 (§10.2) has dropped it, because PKCE binds
 * the code to its client. Where it is sent it must be the one of the authorization request; where it is not, nothing is missing.
 */
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { GrantHandler } from './grant-handlers.ts';

/** Stands for a parameter that was left out. No request can send it: the engine reads an empty parameter as none (RFC 6749 §3.2). */
const OMITTED = '';

const parameters = (ctx: KoaContextWithOIDC | undefined): Record<string, unknown> => ctx?.oidc.params ?? {};

/** The engine asks whether the parameter is there before it reads the code. */
export const allowOmission =
  (exchange: GrantHandler): GrantHandler =>
  (ctx) => {
    parameters(ctx).redirect_uri ??= OMITTED;
    return exchange(ctx);
  };

interface Model {
  find(value: string, options?: object): Promise<{ readonly redirectUri?: string } | undefined>;
}

/** The engine compares the parameter after it has read the code: by then what was left out is what it should be. */
export function completeOmission(provider: Provider): void {
  const model = provider.AuthorizationCode as unknown as Model;
  const find = model.find.bind(model);
  model.find = async (value, options) => {
    const code = await find(value, options);
    const params = parameters(Provider.ctx);
    if (params.redirect_uri === OMITTED) params.redirect_uri = code?.redirectUri;
    return code;
  };
}
