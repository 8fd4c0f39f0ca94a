/** Owns the settings of the lifetimes: of tokens, grants, browser sessions and registered clients. */
import { optional, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration } from '@mcp-oauth/shared/settings/types';
import type { Lifetimes } from './lifetimes.ts';

export const lifetimeSettings = {
  accessTokenLifetime: setting({
    env: 'ACCESS_TOKEN_LIFETIME',
    doc: 'Lifetime of an access token. At a resource server that does not read the status lists (STATUS_LISTS) it can’t be ended earlier, so keep it short.',
    type: duration(10, 86_400),
    default: '10m',
  }),
  accessTokenLifetimeConfidential: optional({
    env: 'ACCESS_TOKEN_LIFETIME_CONFIDENTIAL',
    doc: 'Lifetime of an access token for clients with a secret or keys. Not set: ACCESS_TOKEN_LIFETIME.',
    type: duration(10, 86_400),
  }),
  accessTokenLifetimeMachine: optional({
    env: 'ACCESS_TOKEN_LIFETIME_MACHINE',
    doc: 'Lifetime of an access token for machine clients, which have no refresh token. Not set: ACCESS_TOKEN_LIFETIME.',
    type: duration(10, 86_400),
  }),
  refreshTokenLifetime: setting({
    env: 'REFRESH_TOKEN_LIFETIME',
    doc: 'Lifetime of a refresh token that is not used; each use issues a new one. It ends with the approval (GRANT_LIFETIME) at the latest.',
    type: duration(60),
    default: '14d',
  }),
  refreshTokenLifetimeConfidential: optional({
    env: 'REFRESH_TOKEN_LIFETIME_CONFIDENTIAL',
    doc: 'Lifetime of a refresh token for clients with a secret or keys. Not set: REFRESH_TOKEN_LIFETIME.',
    type: duration(60),
  }),
  refreshGrace: setting({
    env: 'REFRESH_GRACE',
    doc: 'How long a used refresh token still returns its successor, always the same one, until the successor is used as well. This is for clients that refresh twice at once or lose the answer. The same holds for an approved device code and its first refresh token. A later use ends the approval. `0s` allows one use.',
    type: duration(0, 600),
    default: '30s',
  }),
  grantLifetime: setting({
    env: 'GRANT_LIFETIME',
    doc: 'How long a person’s approval lasts, no matter how often tokens are refreshed.',
    type: duration(60),
    default: '90d',
  }),
  sessionLifetime: setting({
    env: 'SESSION_LIFETIME',
    doc: 'How long a browser stays signed in to this server after its last visit.',
    type: duration(60),
    default: '1d',
  }),
  clientLifetime: setting({
    env: 'CLIENT_LIFETIME',
    doc: 'How long a registered client is kept after an approval for it was last used. A client that nobody has approved is kept for one day, unless it registered with an initial access token.',
    type: duration(60),
    default: '90d',
  }),
};

export const lifetimesOf = (settings: Values<typeof lifetimeSettings>): Lifetimes => ({
  accessToken: {
    all: settings.accessTokenLifetime,
    confidential: settings.accessTokenLifetimeConfidential,
    machine: settings.accessTokenLifetimeMachine,
  },
  refreshToken: { all: settings.refreshTokenLifetime, confidential: settings.refreshTokenLifetimeConfidential },
  refreshGrace: settings.refreshGrace,
  grant: settings.grantLifetime,
  session: settings.sessionLifetime,
  client: settings.clientLifetime,
});
