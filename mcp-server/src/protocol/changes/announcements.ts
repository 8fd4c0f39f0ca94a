/** Owns the distribution of changes to every replica: to its sessions, and to the other listeners in its process. */
import type { ChangeFeed } from '../../sessions/change-feed.ts';
import type { ChangeLog } from '../../sessions/ports.ts';
import { STANDALONE, type Streams } from '../../sessions/streams.ts';
import { type Change, type Changes, nameOf, parseChange } from './changes.ts';

export interface AnnouncementsDependencies {
  readonly feed: ChangeFeed;
  readonly streams: Streams;
  readonly log: ChangeLog;
}

export interface Announcements extends Changes {
  /** Another replica has announced a change. */
  receive(change: string, version: number): Promise<void>;
  /** Announcements may have been lost. */
  catchUp(): Promise<void>;
}

export function createAnnouncements({ feed, streams, log }: AnnouncementsDependencies): Announcements {
  const listeners = new Set<(change: Change) => void>();
  /** The number of the latest change that the listeners of this process know, with all changes before it. */
  let latest: number | undefined;
  const tell = (change: string, version: number): void => {
    if (latest !== undefined && version <= latest) return;
    latest = version;
    for (const listener of listeners) listener(parseChange(change));
  };
  /** @returns the number of the latest change */
  const look = async (): Promise<number> => {
    const { version, changes } = await log.since(latest ?? Number.MAX_SAFE_INTEGER);
    if (latest !== undefined) for (const missed of changes) tell(missed.change, missed.version);
    latest = Math.max(version, latest ?? 0);
    return version;
  };
  /** Announcements can arrive out of order or get lost. The log of changes has them all. */
  const learn = async (change: string, version: number): Promise<void> => {
    if (latest === undefined || version <= latest + 1) tell(change, version);
    else await look();
  };
  return {
    announce: async (change) => {
      const name = nameOf(change);
      await learn(name, await feed.announce(name));
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    receive: async (change, version) => {
      await Promise.all([learn(change, version), feed.deliver(change, version)]);
    },
    catchUp: async () => {
      const version = await look();
      const behind = streams.all().filter(({ name, changes = -1 }) => name.stream === STANDALONE && changes < version);
      await Promise.all(behind.map(feed.catchUp));
    },
  };
}
