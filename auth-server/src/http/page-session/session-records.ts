/**
 * Owns the stored session of a person on the pages of this server. The id in the cookie is a bearer secret, so the store has its
 * digest only. A session ends when nobody used it for half an hour, and eight hours after the sign-in.
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Random } from '../../federation/login.ts';
import type { RecordStore } from '../../storage/record-store.ts';

/** Seconds without a request after which a session ends. */
export const IDLE = 1_800;
/** Seconds after the sign-in at which a session ends, however it is used. */
const LONGEST = 28_800;

export interface PageSessionRecord {
  readonly accountId: string;
  /** When the person signed in, in seconds since the epoch. */
  readonly since: number;
  /** When the person proved at the upstream who they are. Absent: unknown, the upstream may have let them through without a question. */
  readonly authenticatedAt?: number | undefined;
  /** Identifies the session at the upstream (logout/signed-out.ts). Absent: the upstream named none. */
  readonly upstreamSession?: string | undefined;
}

export interface PageSessionRecords {
  /** @returns the id for the cookie */
  create(record: PageSessionRecord): Promise<string>;
  /** Counts as a use of the session. */
  find(id: string): Promise<PageSessionRecord | undefined>;
  end(id: string): Promise<void>;
}

const KIND = 'PageSession';

/** Names a session, and opens none. */
export const digestOf = (id: string): string => createHash('sha256').update(id).digest('base64url');

interface Options {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly random: Random;
}

export function createPageSessionRecords({ store, clock, random }: Options): PageSessionRecords {
  const end = (id: string) => store.delete(KIND, digestOf(id));
  return {
    create: async (record) => {
      const id = Buffer.from(random(32)).toString('base64url');
      await store.put(KIND, digestOf(id), { ...record }, { ttl: IDLE });
      return id;
    },
    find: async (id) => {
      const found = (await store.get(KIND, digestOf(id)))?.value as PageSessionRecord | undefined;
      if (!found) return undefined;
      const left = found.since + LONGEST - seconds(clock);
      if (left <= 0) {
        await end(id);
        return undefined;
      }
      await store.touch(KIND, digestOf(id), Math.min(IDLE, left));
      return found;
    },
    end,
  };
}
