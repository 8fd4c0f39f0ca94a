/**
 * Owns the order in which HTTP+SSE streams are closed during shutdown: one after the other for each owner. A client that reconnects
 * without naming its session is recognized as the only one of its owner that is disconnected.
 */
import type { SessionHost } from '../../sessions/session-host.ts';
import type { Attachment } from '../../sessions/stream-reader.ts';
import type { Streams } from '../../sessions/streams.ts';

export interface SequentialReleaseDependencies {
  readonly sessions: Pick<SessionHost, 'peek'>;
  readonly streams: Pick<Streams, 'release' | 'hasReader'>;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Checks whether the client has reconnected, and milliseconds between two of them. After the last one, the next stream is closed. */
const CHECKS = 20;
const BETWEEN = 100;

export function createSequentialRelease({
  sessions,
  streams,
  pause,
}: SequentialReleaseDependencies): (attachment: Attachment) => void {
  const queues = new Map<string, Promise<void>>();
  const release = async (attachment: Attachment): Promise<void> => {
    await streams.release(attachment);
    for (let check = 1; check <= CHECKS && !(await streams.hasReader(attachment.name)); check += 1)
      await pause(BETWEEN);
  };
  const ownerOf = async ({ name }: Attachment): Promise<string> => {
    const session = await sessions.peek(name.session);
    return JSON.stringify(session?.owner ?? '');
  };
  const leave = async (attachment: Attachment): Promise<void> => {
    const owner = await ownerOf(attachment);
    const turn = (queues.get(owner) ?? Promise.resolve()).then(() => release(attachment));
    queues.set(
      owner,
      turn.catch(() => {}),
    );
    await turn;
  };
  return (attachment) => {
    // The owner may be unknown while the store is unavailable: the stream is closed anyway.
    leave(attachment).catch(() => streams.release(attachment));
  };
}
