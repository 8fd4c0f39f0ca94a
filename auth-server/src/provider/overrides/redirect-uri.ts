/**
 * Owns how a `redirect_uri` is compared. At a code exchange RFC 6749 §4.1.3 requires it; OAuth 2.1 (§10.2) has dropped it, because
 * PKCE binds the code to its client. If it is sent, it must match the authorization request; it may be omitted. A native app’s
 * loopback address may use any name of this machine (RFC 8252 §7.3), here and at /authorize. It replaces
 * `provider.AuthorizationCode.find` and `provider.Client.prototype.redirectUriAllowed` of oidc-provider 9.13.3.
 */
import Provider, { type Client, type KoaContextWithOIDC } from 'oidc-provider';
import { isLoopbackUri, listenerOf, placeOf } from '../../clients/loopback.ts';
import type { GrantHandler } from './token/grant-handlers.ts';

/** Marks an omitted parameter. No request can send it: the engine treats an empty parameter as absent (RFC 6749 §3.2). */
const OMITTED = '';

const parameters = (ctx: KoaContextWithOIDC | undefined): Record<string, unknown> => ctx?.oidc.params ?? {};

/** The engine checks that the parameter is present before it reads the code. */
export const allowOmission =
  (exchange: GrantHandler): GrantHandler =>
  (ctx) => {
    parameters(ctx).redirect_uri ??= OMITTED;
    return exchange(ctx);
  };

interface Model {
  find(value: string, options?: object): Promise<{ readonly redirectUri?: string } | undefined>;
}

/**
 * The engine compares the parameter after it has read the code. An omitted parameter, or another name of the same listener, is
 * replaced by the expected value before that.
 */
export function alignRedirectUri(provider: Provider): void {
  const model = provider.AuthorizationCode as unknown as Model;
  const find = model.find.bind(model);
  model.find = async (value, options) => {
    const code = await find(value, options);
    const params = parameters(Provider.ctx);
    const { redirect_uri: sent } = params;
    if (sent === OMITTED || isSameListener(sent, code?.redirectUri)) params.redirect_uri = code?.redirectUri;
    return code;
  };
}

const isSameListener = (sent: unknown, expected: string | undefined): boolean =>
  typeof sent === 'string' && expected !== undefined && listenerOf(sent) === listenerOf(expected);

/** The engine accepts any port of a registered loopback address, but treats `localhost` and `127.0.0.1` as different. */
export function takeLoopbackNames(provider: Provider): void {
  const model = provider.Client.prototype;
  const isAllowed = model.redirectUriAllowed;
  model.redirectUriAllowed = function judge(this: Client, redirectUri): boolean {
    if (isAllowed.call(this, redirectUri)) return true;
    if (this.applicationType !== 'native' || !isLoopbackUri(redirectUri)) return false;
    return (this.redirectUris ?? []).some((registered) => placeOf(registered) === placeOf(redirectUri));
  };
}
