/** Owns the endpoints of the sessionful revisions, MCP 2024-11-05 to 2025-11-25, wired to one set of sessions. */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@mcp-oauth/shared/clock';
import { urlPath } from '@mcp-oauth/shared/contract';
import { LIMIT_REACHED } from '@mcp-oauth/shared/json-rpc-codes';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Implementation, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance } from '../../allowance/allowance.ts';
import type { LimitReached } from '../../allowance/limit.ts';
import type { Revocations } from '../../authorization/status/reference.ts';
import { createChangeFeed } from '../../sessions/change-feed.ts';
import { PendingRequests } from '../../sessions/pending-requests.ts';
import {
  type BusMessage,
  type ExhaustedBudget,
  type LogLimits,
  type SessionStorage,
  StorageFault,
  StorageUnavailable,
} from '../../sessions/ports.ts';
import type { SessionLimits } from '../../sessions/session.ts';
import { createSessionHost, type SessionHost } from '../../sessions/session-host.ts';
import { Streams, type StreamsDependencies } from '../../sessions/streams.ts';
import type { Methods } from '../call.ts';
import { createAnnouncements } from '../changes/announcements.ts';
import type { Changes } from '../changes/changes.ts';
import { messageOf } from '../changes/notification.ts';
import { type Endpoint, type Endpoints, MESSAGES_PATH, type Revoked } from '../endpoints.ts';
import { forSessionRevisions } from '../methods/session-revisions.ts';
import { errorText } from '../wire/answer-text.ts';
import { requestIdOf } from '../wire/message-flaw.ts';
import { createDispatch, receive } from './calls/dispatch.ts';
import { Multiplexer } from './calls/multiplexer.ts';
import { createServer } from './calls/server.ts';
import { sessionMethods } from './calls/session-methods.ts';
import { refuse, STORAGE_AWAY } from './error-responses.ts';
import type { SessionAccess } from './session-access.ts';
import { createSseMessage, createSseStream } from './transports/http-sse.ts';
import { Receipts } from './transports/receipts.ts';
import { createStreamableHttp } from './transports/streamable-http.ts';
import { createUpkeep } from './upkeep.ts';

/** Milliseconds between two checks during shutdown whether all requests have finished. */
const FINISH_PACE = 50;

export interface SessionfulDependencies {
  readonly methods: Methods;
  /** The URL at which clients reach this server. */
  readonly publicUrl: string;
  /** The name and version that the server sends to clients. */
  readonly serverInfo: Implementation;
  /** For the model of the client: how to use this server. */
  readonly instructions?: string | undefined;
  readonly storage: SessionStorage;
  readonly limits: SessionLimits &
    Pick<LogLimits, 'sessionBytes' | 'personBytes' | 'totalBytes'> & {
      /** Seconds between two keep-alives on an open stream. */
      readonly keepAlive: number;
    };
  readonly allowance: Allowance;
  readonly revocations: Revocations;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Sessionful extends Endpoints {
  readonly sessions: SessionHost;
  /** Changes of what the server offers: announced here, received on every replica. */
  readonly changes: Changes;
  /** Whether a request runs on this replica. */
  isRunning(session: string, id: RequestId): boolean;
  /** Number of streams that are open on this replica. */
  open(): number;
  /** Ends what goes on with a token that was revoked. */
  endRevoked(): Promise<Revoked>;
  /** Does what the timers do, once; for tests. */
  tick(): Promise<void>;
}

export async function createSessionful(dependencies: SessionfulDependencies): Promise<Sessionful> {
  const { storage, limits, allowance, revocations, clock, log } = dependencies;
  const { isRevoked } = revocations;
  const { bus } = storage;
  const pause = (ms: number) => setTimeout(ms, undefined, { ref: false });
  const report = (err: unknown) => {
    if (!(err instanceof StorageUnavailable)) log.error({ err }, 'work in the background failed');
  };
  const streams = new Streams({
    log: storage.log,
    bus,
    pause,
    instead: limitErrors(dependencies),
    onFailure: report,
  });
  const onEnd = (id: string) => {
    multiplexer.end(id);
    streams.end(id);
  };
  const sessions = createSessionHost({ storage, limits, revocations, clock, pause, onEnd, onFailure: report });
  const feed = createChangeFeed({ streams, changes: storage.changes, bus, peek: sessions.peek, messageOf });
  const announcements = createAnnouncements({ feed, streams, log: storage.changes });
  const server = createServer(dependencies.serverInfo);
  server.onerror = (err) => log.debug({ err }, 'protocol error');
  const multiplexer = new Multiplexer({
    replica: bus.replica,
    methods: new Map([...forSessionRevisions(dependencies.methods), ...sessionMethods(sessions, dependencies)]),
    server,
    allowance,
    onFault: (err, method) => log.error({ err, method }, 'method failed'),
  });
  await server.connect(multiplexer);
  const upkeep = createUpkeep({
    ...{ sessions, streams, multiplexer, isRevoked, limits, pause, clock, log },
    changes: announcements,
  });
  const access: SessionAccess = {
    sessions,
    streams,
    changes: feed,
    pendingRequests: new PendingRequests(storage.log, bus.replica),
    multiplexer,
    allowance,
    receipts: new Receipts(dependencies.publicUrl),
    limits,
    dispatch: createDispatch({ multiplexer, bus, log }),
    settled: upkeep.settled,
    onFailure: report,
  };

  bus.subscribe(
    receivers({
      multiplexer,
      streams,
      sessions,
      onChange: (...change) => announcements.receive(...change),
      onFailure: report,
    }),
    () => {
      sessions.invalidate();
      streams.wakeAll();
      announcements.catchUp().catch(report);
    },
  );
  // Reads the number of the latest change now: the changes after it are found later even when their message is lost.
  announcements.catchUp().catch(report);
  upkeep.start();
  return {
    sessions,
    changes: announcements,
    streamable: whenStored(createStreamableHttp(access)),
    sseStream: whenStored(createSseStream(access, urlPath(dependencies.publicUrl) + MESSAGES_PATH)),
    sseMessage: whenStored(createSseMessage(access)),
    isRunning: (session, id) => multiplexer.isRunning(session, id),
    running: () => multiplexer.count,
    open: () => streams.all().length,
    endRevoked: upkeep.endRevoked,
    tick: upkeep.tick,
    drain: upkeep.drain,
    finished: async () => {
      while (multiplexer.count > 0 || streams.pending > 0) await pause(FINISH_PACE);
    },
    close: async () => {
      upkeep.stop();
      for (const attachment of streams.all()) streams.close(attachment);
      await server.close();
      await bus.close();
    },
  };
}

/** The error that replaces an answer for which no space is left. Other events are dropped. */
const limitErrors = ({ allowance, limits }: SessionfulDependencies): StreamsDependencies['instead'] => {
  const reached = (full: ExhaustedBudget): LimitReached => {
    if (full === 'session') return allowance.reached('MAX_STORED_BYTES_PER_SESSION', limits.sessionBytes);
    if (full === 'principal') return allowance.reached('MAX_STORED_BYTES_PER_PRINCIPAL', limits.personBytes);
    return allowance.reached('MAX_STORED_BYTES', limits.totalBytes);
  };
  return (data, full) => {
    const { id, method } = JSON.parse(data) as { id?: RequestId; method?: string };
    const told = reached(full);
    return id === undefined || method !== undefined ? undefined : errorText(id, LIMIT_REACHED, told);
  };
};

/** RFC 9110 §15.6.4: answers 503 when the store is unavailable. The request has changed nothing then. */
const whenStored =
  (endpoint: Endpoint): Endpoint =>
  (request) =>
    endpoint(request)?.catch((error: unknown) => {
      const isOutage = error instanceof StorageUnavailable && !(error instanceof StorageFault);
      if (!isOutage) throw error;
      request.log.warn({ reason: error.message }, 'session storage unavailable');
      // A stream that has begun may lack events: a client that opens it again gets them. Deferred: its head is written first.
      if (request.res.headersSent) setImmediate(() => request.res.destroy());
      else refuse(request.res, STORAGE_AWAY, requestIdOf(request.message));
    });

interface Receivers {
  readonly multiplexer: Multiplexer;
  readonly streams: Streams;
  readonly sessions: SessionHost;
  readonly onChange: (change: string, version: number) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

type Handlers = { [K in BusMessage['kind']]: (message: Extract<BusMessage, { kind: K }>) => void };

/** What each message of another replica does on this replica. */
function receivers({ multiplexer, streams, sessions, onChange, onFailure }: Receivers): (message: BusMessage) => void {
  const handlers: Handlers = {
    wake: (name) => Promise.resolve(streams.wake(name)).catch(onFailure),
    taken: (name) => streams.taken(name, name.connection),
    response: (message) => receive(multiplexer, message),
    cancelled: (message) => receive(multiplexer, message),
    altered: ({ session }) => sessions.invalidate(session),
    ended: ({ session }) => sessions.forget(session),
    changed: ({ change, version }) => onChange(change, version).catch(onFailure),
  };
  return (message) => {
    const { kind } = message;
    // During a rolling update, another replica may be of a newer version.
    if (!Object.hasOwn(handlers, kind)) throw new TypeError(`there is no message of the kind ${kind}`);
    handlers[kind](message as never);
  };
}
