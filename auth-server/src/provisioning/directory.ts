/**
 * Owns the list of the subjects of one connector. It is needed to list users and to bound their number, because a record store lists
 * nothing. The list is divided into 64 records by the first character of the digest, so that a change writes little.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { RecordStore } from '../storage/record-store.ts';
import { retried } from './retried.ts';

/** `user`: the provider has a user for it. `ended`: the provider has removed the user, and the deactivation stands. */
type Entry = 'user' | 'ended';

export interface Directory {
  /** @throws HttpError if there are too many subjects */
  set(digest: string, entry: Entry): Promise<void>;
  /** The digests of all users, always in the same order. */
  users(): Promise<readonly string[]>;
}

export interface DirectoryOptions {
  readonly connector: string;
  /** Whether there is still a record of this subject. */
  readonly exists: (digest: string) => Promise<boolean>;
  /** Of one of the 64 records. */
  readonly mostEntries?: number;
}

const KIND = 'ScimDirectory';
const PARTS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
/** With 64 records: 131,072 subjects of one connector. */
const MOST_ENTRIES = 2_048;
const LIFETIME = 3_650 * 86_400;

type Entries = Readonly<Record<string, Entry>>;

export function createDirectory(store: RecordStore, options: DirectoryOptions): Directory {
  const { connector, exists, mostEntries = MOST_ENTRIES } = options;
  const read = async (part: string) => {
    const record = (await store.get(KIND, `${connector}:${part}`))?.value;
    return { record, entries: (record?.entries ?? {}) as Entries };
  };

  /** Drops the entries whose records have expired. */
  async function prune(entries: Entries): Promise<Entries> {
    const kept = await Promise.all(Object.keys(entries).map(exists));
    return Object.fromEntries(Object.entries(entries).filter((_, index) => kept[index]));
  }

  const set = (digest: string, entry: Entry): Promise<void> =>
    retried(async () => {
      const part = digest.charAt(0);
      const { record, entries } = await read(part);
      if (entries[digest] === entry) return { done: undefined };
      const isFull = !(digest in entries) && Object.keys(entries).length >= mostEntries;
      const room = isFull ? await prune(entries) : entries;
      if (isFull && Object.keys(room).length >= mostEntries) throw tooMany();
      const after = { entries: { ...room, [digest]: entry } };
      const id = `${connector}:${part}`;
      const written = record
        ? await store.replace(KIND, id, { before: record, after, ttl: LIFETIME })
        : await store.putIfAbsent(KIND, id, after, { ttl: LIFETIME });
      return written ? { done: undefined } : undefined;
    });

  return {
    set,
    users: async () => {
      const parts = await Promise.all(PARTS.map(read));
      const all = parts.flatMap(({ entries }) => Object.entries(entries));
      return all.flatMap(([digest, entry]) => (entry === 'user' ? [digest] : [])).sort();
    },
  };
}

const tooMany = (): HttpError =>
  new HttpError(403, 'too_many_users', 'This connector has the largest number of users that is supported.');
