/** Owns the settings of sessions, their streams, and subscriptions: how long they live, and how many there may be. */
import { optional, setting, type Values } from '@mcp-oauth/shared/settings/config';
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
    doc: 'Events of one stream that are kept for a client whose connection broke; also bounded by MAX_STORED_BYTES_PER_SESSION.',
    type: type.integer(10, 100_000),
    default: '1000',
  }),
  maxSessions: setting({
    env: 'MAX_SESSIONS',
    doc: 'Maximum number of sessions at a time, of all replicas together.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSessionsPerPrincipal: optional({
    env: 'MAX_SESSIONS_PER_PRINCIPAL',
    doc: 'Maximum number of sessions at a time of one person, whatever clients they use. Default: a twentieth of MAX_SESSIONS.',
    type: type.integer(1, 100_000),
    example: '500',
  }),
  maxStoredBytesPerSession: setting({
    env: 'MAX_STORED_BYTES_PER_SESSION',
    doc: 'Maximum size of the events of one session that are kept for a client whose connection broke, in bytes; at least MAX_ANSWER_BYTES.',
    type: type.integer(65_536, 1_073_741_824),
    default: '8388608',
  }),
  maxStoredBytesPerPrincipal: setting({
    env: 'MAX_STORED_BYTES_PER_PRINCIPAL',
    doc: 'The same of all sessions of one person, in bytes; at least MAX_STORED_BYTES_PER_SESSION.',
    type: type.integer(65_536, 4_294_967_296),
    default: '16777216',
  }),
  maxStoredBytes: setting({
    env: 'MAX_STORED_BYTES',
    doc: 'The same of all sessions of all replicas together, in bytes: in Redis, or in the memory of the process where there is none. At least MAX_STORED_BYTES_PER_PRINCIPAL.',
    type: type.integer(1_048_576, 1_099_511_627_776),
    default: '134217728',
  }),
  maxSubscriptions: setting({
    env: 'MAX_SUBSCRIPTIONS',
    doc: 'Maximum number of streams at a time on which clients of MCP 2026-07-28 listen for changes, on one replica.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSubscriptionsPerPrincipal: optional({
    env: 'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
    doc: 'Maximum number of these streams at a time of one person, whatever clients they use, on one replica. Default: 100, or a twentieth of MAX_SUBSCRIPTIONS where that is less.',
    type: type.integer(1, 100_000),
    example: '100',
  }),
} as const;

/** What one person may have of it, so that a few people can't take all there is. */
const twentieth = (most: number): number => Math.max(1, Math.floor(most / 20));

/** What follows from other settings where it is not set. */
export const sessionDefaults = (values: Values<typeof sessionSettings>) => ({
  maxSessionsPerPrincipal: values.maxSessionsPerPrincipal ?? twentieth(values.maxSessions),
  maxSubscriptionsPerPrincipal:
    values.maxSubscriptionsPerPrincipal ?? Math.min(100, twentieth(values.maxSubscriptions)),
});
