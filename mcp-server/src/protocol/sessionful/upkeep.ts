/**
 * Owns the periodic work on sessions: keep-alives on open streams, the end of streams whose owner sent no fresh
 * token, answers for lost replicas, and the shutdown of this replica.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { IsRevoked } from '../../authorization/status/reference.ts';
import { StorageUnavailable, type StreamName } from '../../sessions/ports.ts';
import { endOf, hasOutlivedToken, type McpSession, type SessionLimits } from '../../sessions/session.ts';
import type { SessionHost } from '../../sessions/session-host.ts';
import type { Attachment } from '../../sessions/stream-reader.ts';
import { STANDALONE, type Streams } from '../../sessions/streams.ts';
import type { Announcements } from '../changes/announcements.ts';
import type { Drained, Revoked } from '../endpoints.ts';
import { CHECKS } from '../wire/keep-alive.ts';
import type { Multiplexer } from './calls/multiplexer.ts';
import { createSequentialRelease } from './sequential-release.ts';

export interface UpkeepDependencies {
  readonly changes: Pick<Announcements, 'catchUp'>;
  readonly sessions: SessionHost;
  readonly streams: Streams;
  readonly multiplexer: Multiplexer;
  readonly isRevoked: IsRevoked;
  readonly limits: SessionLimits & { readonly keepAlive: number };
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds between two checks for lost replicas: clients wait for the answers to their pending requests. */
const LOST_REPLICA_PACE = 2_000;

/** Maximum number of checks whether the errors of revoked calls are in the log, and the milliseconds between two. */
const WAITS = 20;
const WAIT = 50;

/** Number of open streams that are looked at together: some milliseconds of work, for which requests wait. */
const GROUP = 50;
/** Part of the interval between two keep-alives over which the groups are spread. */
const SPREAD = 0.5;

export function createUpkeep({
  sessions,
  streams,
  changes,
  multiplexer,
  isRevoked,
  limits,
  pause,
  clock,
  log,
}: UpkeepDependencies) {
  const timers: NodeJS.Timeout[] = [];
  let draining = false;
  const releaseInTurn = createSequentialRelease({ sessions, streams, pause });

  /** The session of a stream or a call; keeps it from becoming idle. */
  const look = async (id: string): Promise<McpSession | undefined> => {
    const session = (await sessions.keep(id)) ? await sessions.peek(id) : undefined;
    // Another replica may have noted a newer token, whose list is not read here yet.
    if (session && (await sessions.endIfRevoked(session))) return undefined;
    if (!session || endOf({ ...session, usedUntil: clock.now() }, limits) > clock.now()) return session;
    await sessions.end(id);
    return undefined;
  };
  const tickOne = async (attachment: Attachment): Promise<void> => {
    try {
      const session = await look(attachment.name.session);
      if (!session || hasOutlivedToken(session, clock.now())) return streams.close(attachment);
      attachment.sink.keepAlive();
      await streams.renew(attachment);
      if (attachment.sink.carriesAnswers) await streams.answerForLostReplicasOn(attachment.name);
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      attachment.sink.keepAlive();
    }
  };
  const checkKeepAlives = (): void => {
    for (const outlet of new Set([...multiplexer.runs()].map((run) => run.outlet))) outlet.checkKeepAlive();
  };
  const tickGroup = (group: readonly StreamName[]): Promise<unknown> =>
    Promise.all(group.flatMap((name) => streams.reading(name) ?? []).map(tickOne));
  /**
   * Begins a group after a pause, whether or not Redis has answered for the one before. It keeps names only: a stream that ends before
   * its turn is released at once.
   */
  const tickInGroups = async (names: readonly StreamName[]): Promise<void> => {
    const between = (limits.keepAlive * 1000 * SPREAD) / Math.ceil(names.length / GROUP);
    const begun: Promise<unknown>[] = [];
    for (let first = 0; first < names.length; first += GROUP) {
      if (first > 0) await pause(between);
      const group = tickGroup(names.slice(first, first + GROUP));
      // The failure of an early group is reported after the last one.
      group.catch(() => {});
      begun.push(group);
    }
    await Promise.all(begun);
  };
  const keepRunning = (): Promise<unknown> =>
    Promise.all([...new Set([...multiplexer.runs()].map(({ session }) => session.id))].map(sessions.keep));
  const tickStreams = async (): Promise<void> => {
    await keepRunning();
    await tickInGroups(streams.all().map(({ name }) => name));
    // A replica that announces a change can be killed before it has told the others.
    await changes.catchUp();
  };
  const report = (err: unknown): void => {
    if (!(err instanceof StorageUnavailable)) log.error({ err }, 'upkeep of sessions failed');
  };
  const guarded = (work: () => Promise<void>) => () => {
    work().catch(report);
  };
  const isRunning = (session: string): boolean => [...multiplexer.runs()].some((run) => run.session.id === session);
  /** Requests that run here answer on their stream here. Any other stream can move to another replica. */
  const mayLeave = ({ name, sink }: Attachment): boolean =>
    name.stream === STANDALONE ? !(sink.carriesAnswers && isRunning(name.session)) : !streams.isOwn(name);
  const leave = (attachments: readonly Attachment[]): number => {
    const leaving = attachments.filter(mayLeave);
    for (const attachment of leaving) {
      if (attachment.sink.carriesAnswers) releaseInTurn(attachment);
      else streams.close(attachment);
    }
    return leaving.length;
  };

  const revokedStreams = (): readonly Attachment[] =>
    streams.all().filter(({ sink }) => sink.opener && isRevoked(sink.opener));
  /** Resolves when the errors of revoked calls were sent, for a stream that is closed earlier loses its error. Other calls write too, so the wait is limited. */
  const untilSent = async (): Promise<void> => {
    for (let wait = 0; wait < WAITS && streams.pending > 0; wait += 1) await pause(WAIT);
    await Promise.race([Promise.allSettled(revokedStreams().map(({ name }) => streams.wake(name))), pause(WAIT)]);
  };
  /** Resolves when the errors of the calls that were revoked last were sent. Another status list may change before. */
  let errors = Promise.resolve();

  return {
    /** What the timers do. */
    tick: async () => {
      checkKeepAlives();
      await tickStreams();
    },
    /** Ends what goes on with a revoked token: calls at once, then the streams and the sessions. */
    endRevoked: async (): Promise<Revoked> => {
      const calls = multiplexer.revoke(isRevoked);
      if (calls > 0) errors = untilSent();
      await errors;
      // After the wait, because a request that was accepted before may have opened a stream during it.
      const revoked = revokedStreams();
      for (const attachment of revoked) streams.close(attachment);
      return { calls, streams: revoked.length, sessions: await sessions.endRevoked() };
    },
    start: () => {
      // One timer for all streams: thousands of timers would cost more than the streams.
      const pace = limits.keepAlive * 1000;
      timers.push(setInterval(guarded(tickStreams), pace).unref(), setInterval(checkKeepAlives, pace / CHECKS).unref());
      timers.push(
        setInterval(
          guarded(() => streams.answerForLostReplicas()),
          LOST_REPLICA_PACE,
        ).unref(),
      );
    },
    stop: () => timers.forEach(clearInterval),
    settled: (session: string): void => {
      if (!draining) return;
      const name = { session, stream: STANDALONE };
      Promise.resolve(streams.wake(name))
        .then(() => leave(streams.all().filter((attachment) => attachment.name.session === session)))
        .catch(report);
    },
    drain: (): Drained => {
      draining = true;
      return { running: multiplexer.count, leaving: leave(streams.all()) };
    },
  };
}
