/** Owns which bounds the settings mean: those of sessions and streams, for the server and for commands that read what it wrote. */
import type { AllowanceLimits } from './allowance/allowance.ts';
import type { Config } from './config.ts';
import type { LogLimits } from './sessions/ports.ts';

/** Seconds that a client has to come back for the rest of a stream that is over. */
const KEEP_OVER = 300;

/** Finished streams of one session that wait for a client whose connection broke: more than a client has calls at a time. */
const MOST_OVER = 128;

/** Seconds between two comments on an open stream; usual proxies cut silent ones after 30 to 60. */
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

/** Whatever may be answered has room in a session, and what a session has in the budgets around it. */
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
