/** Owns the settings of the HTTP server: which proxies it trusts, and how many requests one address may make. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { integer } from '@mcp-oauth/shared/settings/types';
import { trustedProxies } from './client-address.ts';

export const httpSettings = {
  trustedProxies: setting({
    env: 'TRUSTED_PROXIES',
    doc: 'Proxies whose X-Forwarded-For says who calls: addresses, CIDR ranges, `loopback`, `private`. Behind a proxy that is not named all callers share one limit; `none` trusts nobody.',
    type: trustedProxies(),
    default: 'none',
    example: 'loopback',
  }),
  authorizationLimit: setting({
    env: 'AUTHORIZATION_LIMIT',
    doc: 'Authorization requests a minute that one address may begin, at /authorize or /par: each leaves a record for 15 minutes, so a large one counts for each KiB. As many approvals on the sign-in page, and as many revocations.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
  failureLimit: setting({
    env: 'FAILURE_LIMIT',
    doc: 'Requests to /token, /par and /revoke a minute that may fail for one address; then it waits out the minute. Requests that succeed are not counted.',
    type: integer(1, 1_000_000),
    default: '3000',
  }),
};
