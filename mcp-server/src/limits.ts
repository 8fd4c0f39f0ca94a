/**
 * Owns the conversion of settings to limits of sessions and streams, for the server and for commands that read its
 * storage.
 */
import type { AllowanceLimits } from './allowance/allowance.ts';
import type { Config } from './config.ts';
import type { LogLimits } from './sessions/ports.ts';

/** Seconds for which a client can resume a stream that has ended. */
const KEEP_OVER = 300;

/**
 * Maximum number of ended streams of one session that are kept for reconnecting clients: more than the concurrent
 * calls of a client.
 */
const MOST_OVER = 128;

/** Seconds between two comments on an open stream; common proxies close silent ones after 30 to 60. */
const KEEP_ALIVE = 15;

export const limitsOf = ({ sessionIdleTimeout, sessionMaxAge, ...config }: Config) => ({
  idleTimeout: sessionIdleTimeout,
  lifetime: sessionMaxAge,
  maxSessions: config.maxSessions,
  maxSessionsPerPrincipal: config.maxSessionsPerPrincipal,
  maxSubscriptions: config.maxSubscriptions,
  maxSubscriptionsPerPrincipal: config.maxSubscriptionsPerPrincipal,
  keepAlive: KEEP_ALIVE,
});

export const allowanceLimitsOf = (config: Config): AllowanceLimits => ({
  maxMessageBytes: config.maxMessageBytes,
  maxMessageElements: config.maxMessageElements,
  maxBatchMessages: config.maxBatchMessages,
  maxAnswerBytes: config.maxAnswerBytes,
  maxCallsPerSession: config.maxCallsPerSession,
  maxCallsPerPrincipal: config.maxCallsPerPrincipal,
  maxBytesPerPrincipal: config.maxBytesPerPrincipal,
});

/**
 * Ensures that the largest allowed answer fits into a session, and a session into the budgets of its person and of
 * the server.
 */
export const logLimitsOf = ({ sessionIdleTimeout, streamEvents, ...config }: Config): LogLimits => {
  const sessionBytes = Math.max(config.maxStoredBytesPerSession, config.maxAnswerBytes);
  const personBytes = Math.max(config.maxStoredBytesPerPrincipal, sessionBytes);
  return {
    events: streamEvents,
    bytes: sessionBytes,
    sessionBytes,
    personBytes,
    totalBytes: Math.max(config.maxStoredBytes, personBytes),
    keepOpen: sessionIdleTimeout,
    keepOver: KEEP_OVER,
    over: MOST_OVER,
  };
};
