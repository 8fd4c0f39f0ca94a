/**
 * Owns the answer to a client that may not use a grant which only some clients have: the device authorization grant, token exchange,
 * assertions. The engine of oidc-provider 9.13.3 answers `invalid_request`; RFC 6749 §5.2 and RFC 8628 §3.2 say `unauthorized_client`.
 * It extends `provider.Client.prototype.grantTypeAllowed`.
 */
import Provider, { errors } from 'oidc-provider';
import { ASSERTION_GRANT, DEVICE_GRANT, EXCHANGE_GRANT } from '../../../clients/client.ts';

const NAMES: Readonly<Record<string, string>> = {
  [DEVICE_GRANT]: 'the device authorization grant',
  [EXCHANGE_GRANT]: 'token exchange',
  [ASSERTION_GRANT]: 'assertions',
};

interface Model {
  grantTypeAllowed(type: string): boolean;
}

export function refuseOtherClients(provider: Provider): void {
  const model = provider.Client.prototype as unknown as Model;
  const isAllowed = model.grantTypeAllowed;
  model.grantTypeAllowed = function grantTypeAllowed(this: Model, type: string): boolean {
    const allowed = isAllowed.call(this, type);
    const name = NAMES[type];
    if (!allowed && name !== undefined && isAsked(type)) {
      throw new errors.UnauthorizedClient(`the client is not registered for ${name}`);
    }
    return allowed;
  };
}

/** Whether this request is for the grant; other code asks only whether a client has it. */
function isAsked(type: string): boolean {
  const { route, params } = Provider.ctx?.oidc ?? {};
  if (route === 'device_authorization') return type === DEVICE_GRANT;
  return route === 'token' && params?.grant_type === type;
}
