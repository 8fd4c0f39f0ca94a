/**
 * Owns the answer to a client that refreshes although its registration, document or entry in CLIENTS has lost `refresh_token`. The
 * engine of oidc-provider 9.13.3 answers `invalid_request`, after which clients retry for ever. With `invalid_grant` of RFC 6749
 * §5.2 they sign in again and then work without a refresh token. It extends `provider.Client.prototype.grantTypeAllowed`.
 */
import Provider, { errors } from 'oidc-provider';

const REFRESH = 'refresh_token';

interface Model {
  grantTypeAllowed(type: string): boolean;
}

export function endRefreshing(provider: Provider): void {
  const model = provider.Client.prototype as unknown as Model;
  const isAllowed = model.grantTypeAllowed;
  model.grantTypeAllowed = function grantTypeAllowed(this: Model, type: string): boolean {
    const allowed = isAllowed.call(this, type);
    const { route, params } = Provider.ctx?.oidc ?? {};
    if (!allowed && type === REFRESH && route === 'token' && params?.grant_type === REFRESH) {
      throw new errors.InvalidGrant('the client may no longer use refresh_token');
    }
    return allowed;
  };
}
