/**
 * Owns what time brings to sessions: signs of life on open streams, the end of streams whose owner shows no fresh token, calls
 * whose replica is gone, and the way down of this replica.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { StorageUnavailable } from '../../sessions/ports.ts';
import { endOf, hasOutlivedToken, type McpSession, type SessionLimits } from '../../sessions/session.ts';
import type { SessionHost } from '../../sessions/session-host.ts';
import { type Attachment, STANDALONE, type Streams } from '../../sessions/streams.ts';
import type { Announcements } from '../announcements.ts';
import type { Multiplexer } from './calls/multiplexer.ts';

export interface UpkeepParts {
  readonly changes: Pick<Announcements, 'catchUp'>;
  readonly sessions: SessionHost;
  readonly streams: Streams;
  readonly multiplexer: Multiplexer;
  readonly limits: SessionLimits & { readonly keepAlive: number };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds between two looks for replicas that are gone: a client waits for the answers that they owe. */
const BURIAL = 2_000;

export function createUpkeep({ sessions, streams, changes, multiplexer, limits, clock, log }: UpkeepParts) {
  const timers: NodeJS.Timeout[] = [];
  let draining = false;

  /** Of the session that a stream or a call belongs to, which is kept from becoming idle. */
  const look = async (id: string): Promise<McpSession | undefined> => {
    const session = (await sessions.keep(id)) ? await sessions.peek(id) : undefined;
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
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      attachment.sink.keepAlive();
    }
  };
  const tick = async (): Promise<void> => {
    const runs = [...multiplexer.runs()];
    for (const outlet of new Set(runs.map((run) => run.outlet))) outlet.tick();
    await Promise.all([...new Set(runs.map(({ session }) => session.id))].map(sessions.keep));
    await Promise.all(streams.all().map(tickOne));
    // Whoever announces can die before it has told the others.
    await changes.catchUp();
  };
  const guarded = (work: () => Promise<void>) => () => {
    work().catch((err: unknown) => {
      if (!(err instanceof StorageUnavailable)) log.error({ err }, 'upkeep of sessions failed');
    });
  };
  const isRunning = (session: string): boolean => [...multiplexer.runs()].some((run) => run.session.id === session);
  const leave = (attachment: Attachment): void => {
    const { name, sink } = attachment;
    if (name.stream === STANDALONE && !(sink.carriesAnswers && isRunning(name.session))) streams.close(attachment);
  };

  return {
    get draining() {
      return draining;
    },
    tick,
    start: () => {
      // One timer for all: a timer for each of many thousand streams would cost more than the streams.
      timers.push(setInterval(guarded(tick), limits.keepAlive * 1000).unref());
      timers.push(
        setInterval(
          guarded(() => streams.bury()),
          BURIAL,
        ).unref(),
      );
    },
    stop: () => timers.forEach(clearInterval),
    settled: (session: string): void => {
      if (!draining) return;
      const name = { session, stream: STANDALONE };
      void streams.wake(name).then(() => {
        for (const attachment of streams.all()) if (attachment.name.session === session) leave(attachment);
      });
    },
    drain: (): void => {
      draining = true;
      for (const attachment of streams.all()) leave(attachment);
    },
  };
}
