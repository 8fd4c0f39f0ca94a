/** Owns the settings of the HTTP server: which proxies it trusts, and how many requests one address may make. */
import { trustedProxies } from '@mcp-oauth/shared/http/request/client-address';
import { setting } from '@mcp-oauth/shared/settings/config';
import { integer } from '@mcp-oauth/shared/settings/types';

export const httpSettings = {
  trustedProxies: setting({
    env: 'TRUSTED_PROXIES',
    doc: 'Proxies whose X-Forwarded-For header is trusted for the address of the caller: addresses, CIDR ranges, `loopback`, `private`. Behind a proxy that is not listed all callers share one limit. `none` trusts no proxy.',
    type: trustedProxies(),
    default: 'none',
    example: 'loopback',
  }),
  authorizationLimit: setting({
    env: 'AUTHORIZATION_LIMIT',
    doc: 'Maximum number of authorization requests per minute from one address, at /authorize or /par. Each leaves a record for 15 minutes, so a large one counts once per KiB. The same number limits approvals on the sign-in page, and revocations.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
  failureLimit: setting({
    env: 'FAILURE_LIMIT',
    doc: 'Maximum number of failed requests per minute to /token, /par, /revoke, /device_authorization and /backchannel-logout from one address, and of requests with a wrong token to SCIM. Above it the address is refused until the minute is over. Requests that succeed are not counted, and neither is what a client with `private_key_jwt` is refused at a token exchange.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
};
