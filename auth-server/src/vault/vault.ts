/**
 * Owns where the records of sessions at upstreams are stored, one for each connector and person. The store encrypts the session and
 * binds it to the id of its record (storage/sealed.ts), so that it cannot be opened for another connector or person.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Account } from '../federation/account.ts';
import { type RecordStore, StoreUnavailable } from '../storage/record-store.ts';
import type { VaultRecord } from './record.ts';

/** The person and the connector of a record. */
export type Holder = Pick<Account, 'connector' | 'accountId'>;

type Current = VaultRecord | undefined;
type Next = (current: Current) => Current;

export interface Vault {
  /** @throws UnreadableRecord if it was changed, or belongs to another holder, or its key is not in STORAGE_KEYS any more */
  find(holder: Holder): Promise<Current>;
  /** Writes only if the record is unchanged; @returns the new record, or `undefined` if somebody else was faster */
  replace(holder: Holder, before: VaultRecord, after: VaultRecord): Promise<Current>;
  /**
   * Writes what `next` makes of the record, by compare-and-set, until nobody else was faster.
   * @param next returns `undefined` to leave the record as it is. A record that cannot be opened counts as absent
   * @param seen the record as it was last read, which spares a read
   * @returns the new record, or `undefined` if it was left
   */
  change(holder: Holder, next: Next, seen?: Current): Promise<Current>;
  /** As `change`, at a sign-in: restarts the lifetime, and replaces a record that cannot be opened. */
  begin(holder: Holder, next: Next): Promise<Current>;
  /** Extends the lifetime to that of a grant that was approved at this time, in seconds since the epoch. */
  extend(holder: Holder, approvedAt: number): Promise<void>;
}

export interface VaultOptions {
  readonly clock: Clock;
  /** Seconds that a record is stored after a sign-in; at least the lifetime of a grant. */
  readonly lifetime: number;
}

/** The session cannot be decrypted. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord';
}

/** Also in storage/sealed.ts, which encrypts its member `session`. */
const KIND = 'UpstreamSession';

/** Each attempt fails only because another one succeeded, and of those there are few: the sign-ins of one person, and one question. */
const MOST_ATTEMPTS = 50;

/** The id of a connector has no colon, so no two holders have the same id. */
const idOf = ({ connector, accountId }: Holder): string => `${connector}:${accountId}`;

/**
 * A question does not extend the life of a record, so that no tokens are stored when all that they were needed for has ended.
 */
export function createVault(store: RecordStore, { clock, lifetime }: VaultOptions): Vault {
  const find = (holder: Holder) =>
    readable(async () => (await store.get(KIND, idOf(holder)))?.value as unknown as Current);

  async function replace(
    holder: Holder,
    before: VaultRecord,
    after: VaultRecord,
    ttl: number | undefined,
  ): Promise<Current> {
    const stored = asStored(after);
    const change = { before: asStored(before), after: stored, ...(ttl !== undefined && { ttl }) };
    const isReplaced = await readable(() => store.replace(KIND, idOf(holder), change));
    return isReplaced ? (stored as unknown as VaultRecord) : undefined;
  }

  /** Writes a record where there is none, or one that cannot be opened. */
  async function create(holder: Holder, record: VaultRecord, isUnreadable: boolean): Promise<Current> {
    const stored = asStored(record);
    const options = { ttl: lifetime };
    if (isUnreadable) await store.put(KIND, idOf(holder), stored, options);
    else if (!(await store.putIfAbsent(KIND, idOf(holder), stored, options))) return undefined;
    return stored as unknown as VaultRecord;
  }

  async function change(holder: Holder, next: Next, { seen, ttl }: Change): Promise<Current> {
    let known = seen;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      let isUnreadable = false;
      const read = async () =>
        find(holder).catch((error): undefined => {
          if (!(error instanceof UnreadableRecord)) throw error;
          isUnreadable = true;
        });
      const current = known ?? (await read());
      const after = next(current);
      if (!after) return undefined;
      const written = current ? await replace(holder, current, after, ttl) : await create(holder, after, isUnreadable);
      if (written) return written;
      known = undefined;
    }
    throw new StoreUnavailable(new Error('too many changes of one session at once'));
  }

  return {
    find,
    replace: (holder, before, after) => replace(holder, before, after, undefined),
    change: (holder, next, seen) => change(holder, next, { seen }),
    begin: (holder, next) => change(holder, next, { ttl: lifetime }),
    extend: (holder, approvedAt) => store.touch(KIND, idOf(holder), approvedAt + lifetime - seconds(clock)),
  };
}

interface Change {
  readonly seen?: Current;
  /** Absent: the expiry stays. */
  readonly ttl?: number;
}

/** The value as a store returns it: without members that are `undefined`. */
const asStored = (record: VaultRecord): JsonObject => JSON.parse(JSON.stringify(record));

async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StartError) throw new UnreadableRecord(cause.message, { cause });
    throw cause;
  }
}
