/** Owns one replica of a model run: the real code, wired as in the service, over ports that the schedule controls. */

import type { Logger } from '@mcp-oauth/shared/logger';
import type { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { Principal } from '../../../src/authorization/principal.ts';
import { createAnnouncements } from '../../../src/protocol/changes/announcements.ts';
import type { Changes } from '../../../src/protocol/changes/changes.ts';
import { messageOf } from '../../../src/protocol/changes/notification.ts';
import { createDispatch, receive } from '../../../src/protocol/sessionful/calls/dispatch.ts';
import { Receipts } from '../../../src/protocol/sessionful/transports/receipts.ts';
import { createStreamableHttp } from '../../../src/protocol/sessionful/transports/streamable-http.ts';
import { createUpkeep } from '../../../src/protocol/sessionful/upkeep.ts';
import { createChangeFeed } from '../../../src/sessions/change-feed.ts';
import { PendingRequests } from '../../../src/sessions/pending-requests.ts';
import { type BusMessage, type SessionStorage, StorageUnavailable } from '../../../src/sessions/ports.ts';
import { createSessionHost, type SessionHost } from '../../../src/sessions/session-host.ts';
import type { Streams, StreamsDependencies } from '../../../src/sessions/streams.ts';
import { allowance } from '../../support/limits.ts';
import { noChallenge } from '../../support/request-parts.ts';
import { NOTHING_REVOKED } from '../../support/revocations.ts';
import type { Connection } from './connection.ts';
import type { Condition } from './network.ts';
import { LIMITS } from './records.ts';
import type { Schedule } from './schedule.ts';
import { createTools } from './tools.ts';

export interface ReplicaDependencies {
  readonly member: Condition;
  readonly storage: SessionStorage;
  readonly schedule: Schedule;
  readonly clock: FakeClock;
  readonly breaches: string[];
  readonly hostWith: (host: SessionHost) => SessionHost;
  readonly streamsWith: (dependencies: StreamsDependencies) => Streams;
}

export interface Replica {
  readonly member: Condition;
  readonly sessions: SessionHost;
  readonly streams: Streams;
  readonly changes: Changes;
  answer(connection: Connection, principal: Principal): void;
  /** Runs what the timers would. */
  tick(): void;
  answerForLostReplicas(): void;
  /** The wait for a client's answer times out. */
  giveUp(): void;
  /** The replica was partitioned from the others. */
  returned(): void;
}

export function createReplica(dependencies: ReplicaDependencies): Replica {
  const { member, storage, schedule, clock, breaches } = dependencies;
  const { bus } = storage;
  const allowed = allowance();
  const log = silentLog((event) => breaches.push(`logged: ${event}`));
  const { multiplexer, giveUp } = createTools({ member, schedule, breaches, allowance: allowed });
  const pause = (milliseconds: number): Promise<void> => {
    const due = clock.now() + milliseconds;
    return new Promise((resolve) => {
      schedule.add(`${member.name} pauses`, () => {
        if (member.dead) return;
        clock.advance(Math.max(0, due - clock.now()) / 1_000);
        resolve();
      });
    });
  };
  const onFailure = (error: unknown): void => {
    if (!(error instanceof StorageUnavailable)) breaches.push(`failed: ${error}`);
  };
  const streams = dependencies.streamsWith({ log: storage.log, bus, pause, onFailure });
  const onEnd = (id: string) => {
    multiplexer.end(id);
    streams.end(id);
  };
  const sessions = dependencies.hostWith(
    createSessionHost({ storage, limits: LIMITS, revocations: NOTHING_REVOKED, clock, pause, onEnd, onFailure }),
  );
  const feed = createChangeFeed({ streams, changes: storage.changes, bus, peek: sessions.peek, messageOf });
  const limits = { ...LIMITS, keepAlive: 15 };
  const announcements = createAnnouncements({ feed, streams, log: storage.changes });
  const upkeep = createUpkeep({
    ...{ sessions, streams, multiplexer, limits, pause, clock, log },
    isRevoked: NOTHING_REVOKED.isRevoked,
    changes: announcements,
  });
  const dispatch = createDispatch({ multiplexer, bus, log });
  const { settled } = upkeep;
  const serve = createStreamableHttp({
    sessions,
    streams,
    changes: feed,
    pendingRequests: new PendingRequests(storage.log, bus.replica),
    multiplexer,
    allowance: allowed,
    receipts: new Receipts('https://mcp.example'),
    limits: LIMITS,
    dispatch,
    settled,
    onFailure,
  });
  const guard = (work: unknown): void => {
    Promise.resolve(work).catch(onFailure);
  };
  const hear = (message: BusMessage): void => {
    if (message.kind === 'wake') guard(streams.wake(message));
    else if (message.kind === 'taken') streams.taken(message, message.connection);
    else if (message.kind === 'altered') sessions.invalidate(message.session);
    else if (message.kind === 'changed') guard(announcements.receive(message.change, message.version));
    else if (message.kind === 'ended') sessions.forget(message.session);
    else receive(multiplexer, message);
  };
  const returned = (): void => {
    sessions.invalidate();
    streams.wakeAll();
    guard(announcements.catchUp());
  };
  bus.subscribe(hear, returned);

  return {
    member,
    sessions,
    streams,
    changes: announcements,
    answer: (connection, principal) => {
      const { req, res, question } = connection;
      const failed = (error: unknown): void => {
        if (!(error instanceof StorageUnavailable)) breaches.push(`failed: ${error}`);
        if (connection.headersSent) connection.destroy();
        else connection.writeHead(503).end();
      };
      try {
        serve({ ...noChallenge, req, res, principal, message: question.message, log })?.catch(failed);
      } catch (error) {
        failed(error);
      }
    },
    tick: () => guard(upkeep.tick()),
    answerForLostReplicas: () => guard(streams.answerForLostReplicas()),
    giveUp,
    returned,
  };
}

const silentLog = (onError: (event: string) => void): Logger => {
  const nothing = () => {};
  const report = (_: unknown, event: string) => onError(event);
  return { debug: nothing, info: nothing, warn: nothing, error: report } as unknown as Logger;
};
