/** Owns the endpoints of the revisions that have sessions, MCP 2024-11-05 to 2025-11-25, wired to one set of sessions. */

import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Implementation } from '@modelcontextprotocol/sdk/types.js';
import { createSessionHost, type SessionHost, type SessionLimits } from '../../sessions/session-host.ts';
import type { Catalog } from '../catalog.ts';
import { type Endpoints, MESSAGES_PATH } from '../endpoints.ts';
import { createServerFactory } from '../server.ts';
import { createSseMessage, createSseStream } from './http-sse.ts';
import { REVISIONS } from './json-rpc.ts';
import type { SessionTransport } from './session-access.ts';
import { createStreamableHttp } from './streamable-http.ts';

export interface EndpointsParts {
  readonly catalog: Catalog;
  /** How the server introduces itself to clients. */
  readonly serverInfo: Implementation;
  readonly limits: SessionLimits & {
    /** Seconds between two signs of life on an open stream. */
    readonly keepAlive: number;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SessionfulEndpoints extends Endpoints {
  readonly sessions: SessionHost<SessionTransport>;
}

export function createEndpoints({ limits, clock, ...parts }: EndpointsParts): SessionfulEndpoints {
  const host = createSessionHost<SessionTransport>(limits, clock);
  const startedAt = new Date(clock.now());
  const { name, version } = parts.serverInfo;
  const status = () => ({ name, version, startedAt, revisions: REVISIONS, openSessions: host.size });
  let draining = false;
  const access = {
    host,
    newServer: createServerFactory({ ...parts, clock, status }),
    draining: () => draining,
  };
  // One timer for all: a timer for each of many thousand streams would cost more than the streams.
  const ticker = setInterval(() => host.tick(), limits.keepAlive * 1000).unref();
  return {
    sessions: host,
    streamable: createStreamableHttp(access),
    sseStream: createSseStream(access, MESSAGES_PATH),
    sseMessage: createSseMessage(access),
    drain: () => {
      draining = true;
      host.drain();
    },
    close: async () => {
      clearInterval(ticker);
      await host.close();
    },
  };
}
