/**
 * Owns the records of sessions at upstreams, one for each connector and person. The store encrypts the session and binds it to the
 * id of its record (storage/sealed.ts), so that it cannot be opened for another connector or person.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import type { Account } from '../federation/account.ts';
import type { UpstreamSession } from '../federation/connector.ts';
import type { JsonObject, RecordStore } from '../storage/record-store.ts';

/** Times are in seconds since the epoch. */
export interface VaultRecord {
  /** Absent: there is nothing to ask the upstream with. */
  readonly session?: UpstreamSession | undefined;
  /** When the upstream was last asked, whatever came of it. */
  readonly askedAt: number;
  /** When the first of the questions without an answer was asked. Absent: the last one was answered. */
  readonly failingSince?: number | undefined;
  /** Present if one of these questions was answered that the session has ended: it can't be used again. */
  readonly hasEnded?: true | undefined;
  /** Until when one process alone may ask. Absent: nobody is asking. */
  readonly lease?: number | undefined;
}

/** The person and the connector of a record. */
type Holder = Pick<Account, 'connector' | 'accountId'>;

export interface Vault {
  put(holder: Holder, record: VaultRecord): Promise<void>;
  /** @throws UnreadableRecord if it was changed, or belongs to another holder, or its key is not in STORAGE_KEYS any more */
  find(holder: Holder): Promise<VaultRecord | undefined>;
  /** Writes only if the record is unchanged; @returns the new record, or `undefined` if somebody else was faster */
  replace(holder: Holder, before: VaultRecord, after: VaultRecord): Promise<VaultRecord | undefined>;
}

/** The session cannot be decrypted. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord';
}

/** Also in storage/sealed.ts, which encrypts its member `session`. */
const KIND = 'UpstreamSession';

/** The id of a connector has no colon, so no two holders have the same id. */
const idOf = ({ connector, accountId }: Holder): string => `${connector}:${accountId}`;

/** @param ttl seconds that a record is stored after its last change; at least the lifetime of a grant */
export const createVault = (store: RecordStore, ttl: number): Vault => ({
  put: (holder, record) => store.put(KIND, idOf(holder), asStored(record), { ttl }),
  find: (holder) => readable(async () => (await store.get(KIND, idOf(holder)))?.value as VaultRecord | undefined),
  replace: async (holder, before, after) => {
    const stored = asStored(after);
    const change = { before: asStored(before), after: stored, ttl };
    const isReplaced = await readable(() => store.replace(KIND, idOf(holder), change));
    return isReplaced ? (stored as unknown as VaultRecord) : undefined;
  },
});

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
