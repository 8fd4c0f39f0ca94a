/** Owns the settings of re-checks: how often an identity provider is asked again, and how long an unanswered question is tolerated. */
import { setting } from '@mcp-oauth/shared/settings/config';
import { duration, durationOrOff } from '@mcp-oauth/shared/settings/types';

export const vaultSettings = {
  upstreamRecheck: setting({
    env: 'UPSTREAM_RECHECK',
    doc: 'How old the last answer of the identity provider about a person may be when a client refreshes; an older one is asked for again. `off`: never, so that a person who is disabled there keeps access until GRANT_LIFETIME ends.',
    type: durationOrOff(),
    default: '10m',
  }),
  upstreamGrace: setting({
    env: 'UPSTREAM_GRACE',
    doc: 'How long refreshes go on while the identity provider cannot say whether a person still has access: it is not reachable, or the session there has ended. Afterwards the person has to sign in again.',
    type: duration(0),
    default: '1d',
  }),
};
