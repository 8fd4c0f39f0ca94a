/**
 * Owns the answer to a client that refreshes and may not any more, as its registration, document or entry in CLIENTS has lost
 * `refresh_token`. The engine of oidc-provider 9.13.3 calls that `invalid_request`, which clients repeat for ever; RFC 6749 §5.2
 * `invalid_grant` has them sign in again, after which they work without a refresh token.
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
