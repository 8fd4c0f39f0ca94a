/** Owns how a change becomes known on every replica: to the sessions there, and to whoever else listens in the process. */
import type { ChangeFeed } from '../sessions/change-feed.ts';
import type { ChangeLog } from '../sessions/ports.ts';
import { STANDALONE, type Streams } from '../sessions/streams.ts';
import { type Change, type Changes, nameOf, parseChange } from './changes.ts';

export interface AnnouncementsParts {
  readonly feed: ChangeFeed;
  readonly streams: Streams;
  readonly log: ChangeLog;
}

export interface Announcements extends Changes {
  /** Another replica has announced. */
  hear(change: string, version: number): Promise<void>;
  /** Announcements may have got lost. */
  catchUp(): Promise<void>;
}

export function createAnnouncements({ feed, streams, log }: AnnouncementsParts): Announcements {
  const listeners = new Set<(change: Change) => void>();
  /** The latest change that the listeners of this process have heard of, once there has been one. */
  let heard: number | undefined;
  const tell = (change: Change, version: number): void => {
    heard = Math.max(heard ?? 0, version);
    for (const listener of listeners) listener(change);
  };
  return {
    announce: async (change) => tell(change, await feed.announce(nameOf(change))),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hear: async (change, version) => {
      tell(parseChange(change), version);
      await feed.deliver(change, version);
    },
    catchUp: async () => {
      const { version, changes } = await log.since(heard ?? Number.MAX_SAFE_INTEGER);
      for (const missed of heard === undefined ? [] : changes) tell(parseChange(missed.change), missed.version);
      heard = version;
      await Promise.all(
        streams.all().flatMap((stream) => (stream.name.stream === STANDALONE ? feed.catchUp(stream) : [])),
      );
    },
  };
}
