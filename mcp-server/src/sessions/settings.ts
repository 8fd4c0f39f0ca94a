/** Owns the settings of sessions, their streams, and subscriptions: how long they live, and how many there may be. */
import { setting } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const sessionSettings = {
  sessionIdleTimeout: setting({
    env: 'SESSION_IDLE_TIMEOUT',
    doc: 'A session without a request, a running call or an open stream for this long ends.',
    type: type.duration(),
    default: '30m',
  }),
  sessionMaxAge: setting({
    env: 'SESSION_MAX_AGE',
    doc: 'A session ends after this long in any case; its client opens a new one by itself.',
    type: type.duration(),
    default: '24h',
  }),
  streamEvents: setting({
    env: 'STREAM_EVENTS',
    doc: 'Events of one stream that are kept for a client whose connection broke; also bounded to 1 MiB.',
    type: type.integer(10, 100_000),
    default: '1000',
  }),
  maxSessions: setting({
    env: 'MAX_SESSIONS',
    doc: 'Most sessions at a time.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSessionsPerPrincipal: setting({
    env: 'MAX_SESSIONS_PER_PRINCIPAL',
    doc: 'Most sessions at a time of one person, whatever clients they use.',
    type: type.integer(1, 100_000),
    default: '1000',
  }),
  maxSubscriptions: setting({
    env: 'MAX_SUBSCRIPTIONS',
    doc: 'Most streams at a time on which clients of MCP 2026-07-28 listen for changes, on one replica.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSubscriptionsPerPrincipal: setting({
    env: 'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
    doc: 'Most of these streams at a time of one person, whatever clients they use, on one replica.',
    type: type.integer(1, 100_000),
    default: '100',
  }),
} as const;
