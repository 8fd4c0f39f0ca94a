/**
 * Owns the answer to a client that may not use the device authorization grant. The engine of oidc-provider 9.13.3 answers
 * `invalid_request`; RFC 6749 §5.2 and RFC 8628 §3.2 say `unauthorized_client`. It extends
 * `provider.Client.prototype.grantTypeAllowed`.
 */
import Provider, { errors } from 'oidc-provider';
import { DEVICE_GRANT } from '../../clients/client.ts';

interface Model {
  grantTypeAllowed(type: string): boolean;
}

export function refuseOtherClients(provider: Provider): void {
  const model = provider.Client.prototype as unknown as Model;
  const isAllowed = model.grantTypeAllowed;
  model.grantTypeAllowed = function grantTypeAllowed(this: Model, type: string): boolean {
    const allowed = isAllowed.call(this, type);
    if (!allowed && type === DEVICE_GRANT && isAsked()) {
      throw new errors.UnauthorizedClient('the client is not registered for the device authorization grant');
    }
    return allowed;
  };
}

/** Whether this request is for the grant; other code asks only whether a client has it. */
function isAsked(): boolean {
  const { route, params } = Provider.ctx?.oidc ?? {};
  return route === 'device_authorization' || (route === 'token' && params?.grant_type === DEVICE_GRANT);
}
