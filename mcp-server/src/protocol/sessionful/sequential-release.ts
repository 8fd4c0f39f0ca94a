/**
 * Owns in which order streams of HTTP+SSE are let go on the way down: one after the other for each owner, as a client that does
 * not say to which session it comes back is known by being the only one that is away.
 */
import type { SessionHost } from '../../sessions/session-host.ts';
import type { Attachment, Streams } from '../../sessions/streams.ts';

export interface FarewellParts {
  readonly sessions: Pick<SessionHost, 'peek'>;
  readonly streams: Pick<Streams, 'release' | 'isHeard'>;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** How often, and milliseconds apart, to look whether a client is back; who stays away longer is not waited for. */
const LOOKS = 20;
const BETWEEN = 100;

export function createFarewell({ sessions, streams, pause }: FarewellParts): (attachment: Attachment) => void {
  const queues = new Map<string, Promise<void>>();
  const letGo = async (attachment: Attachment): Promise<void> => {
    await streams.release(attachment);
    for (let look = 1; look <= LOOKS && !(await streams.isHeard(attachment.name)); look += 1) await pause(BETWEEN);
  };
  const ownerOf = async ({ name }: Attachment): Promise<string> => {
    const session = await sessions.peek(name.session);
    return JSON.stringify(session?.owner ?? '');
  };
  const leave = async (attachment: Attachment): Promise<void> => {
    const owner = await ownerOf(attachment);
    const turn = (queues.get(owner) ?? Promise.resolve()).then(() => letGo(attachment));
    queues.set(
      owner,
      turn.catch(() => {}),
    );
    await turn;
  };
  return (attachment) => {
    // Whatever can't be known now: it has to leave all the same.
    leave(attachment).catch(() => streams.release(attachment));
  };
}
