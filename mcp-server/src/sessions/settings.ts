/** Owns the settings of sessions, their streams, and subscriptions: lifetimes and maximum numbers. */
import { optional, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

export const sessionSettings = {
  sessionIdleTimeout: setting({
    env: 'SESSION_IDLE_TIMEOUT',
    doc: 'How long a session lives without a request, a running call or an open stream. At least 60s.',
    // An open stream says every 15 s that it is still used, and later if Redis is slow.
    type: type.duration(60),
    default: '30m',
  }),
  sessionMaxAge: setting({
    env: 'SESSION_MAX_AGE',
    doc: 'Maximum lifetime of a session. Its client then opens a new one by itself.',
    type: type.duration(),
    default: '24h',
  }),
  streamEvents: setting({
    env: 'STREAM_EVENTS',
    doc: 'Maximum number of events per stream that are kept for a client whose connection broke. MAX_STORED_BYTES_PER_SESSION limits them as well.',
    type: type.integer(10, 100_000),
    default: '1000',
  }),
  maxSessions: setting({
    env: 'MAX_SESSIONS',
    doc: 'Maximum number of concurrent sessions, of all replicas together.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSessionsPerPrincipal: optional({
    env: 'MAX_SESSIONS_PER_PRINCIPAL',
    doc: 'Maximum number of concurrent sessions per person, across all clients. Default: a twentieth of MAX_SESSIONS.',
    type: type.integer(1, 100_000),
    example: '500',
  }),
  maxStoredBytesPerSession: setting({
    env: 'MAX_STORED_BYTES_PER_SESSION',
    doc: 'Maximum size, in bytes, of the events of one session that are kept for a client whose connection broke. At least MAX_ANSWER_BYTES.',
    type: type.integer(65_536, 1_073_741_824),
    default: '8388608',
  }),
  maxStoredBytesPerPrincipal: setting({
    env: 'MAX_STORED_BYTES_PER_PRINCIPAL',
    doc: 'Maximum size, in bytes, of the kept events of all sessions of one person. At least MAX_STORED_BYTES_PER_SESSION.',
    type: type.integer(65_536, 4_294_967_296),
    default: '16777216',
  }),
  maxStoredBytes: setting({
    env: 'MAX_STORED_BYTES',
    doc: 'Maximum size, in bytes, of the kept events of all sessions of all replicas together: in Redis, or without Redis in the memory of the process. At least MAX_STORED_BYTES_PER_PRINCIPAL.',
    type: type.integer(1_048_576, 1_099_511_627_776),
    default: '134217728',
  }),
  maxSubscriptions: setting({
    env: 'MAX_SUBSCRIPTIONS',
    doc: 'Maximum number of concurrent streams on one replica on which clients of MCP 2026-07-28 listen for changes.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSubscriptionsPerPrincipal: optional({
    env: 'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
    doc: 'Maximum number of these streams per person on one replica, across all clients. Default: 100, or a twentieth of MAX_SUBSCRIPTIONS if that is less.',
    type: type.integer(1, 100_000),
    example: '100',
  }),
} as const;

/** The share of one person, so that a few people cannot use up a limit that all share. */
const twentieth = (most: number): number => Math.max(1, Math.floor(most / 20));

/** Defaults that depend on other settings. */
export const sessionDefaults = (values: Values<typeof sessionSettings>) => ({
  maxSessionsPerPrincipal: values.maxSessionsPerPrincipal ?? twentieth(values.maxSessions),
  maxSubscriptionsPerPrincipal:
    values.maxSubscriptionsPerPrincipal ?? Math.min(100, twentieth(values.maxSubscriptions)),
});
