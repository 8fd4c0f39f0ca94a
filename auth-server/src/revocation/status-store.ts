/**
 * Owns the port to the storage of status lists: which entries of a list are taken, and which are marked. An entry is taken by one owner
 * only, and a marked entry stays marked. The caller makes every random choice.
 */

/** Entries of one list: 128 KiB with one bit each. */
export const LIST_SIZE = 2 ** 20;

interface Marks {
  readonly version: number;
  /** One bit for each entry, in the order of Token Status List §4.1. */
  readonly bits: Uint8Array;
}

export interface StatusStore {
  /**
   * Creates a list, unless there is one.
   * @param decoys bits of the entries that are taken and marked from the beginning
   * @param ttl seconds until the list expires
   */
  create(list: string, decoys: Uint8Array, ttl: number): Promise<void>;
  /**
   * Takes the first free one of some entries, and keeps the list for at least `ttl` seconds from now.
   * @returns `full` if none of them is free, `missing` if there is no such list
   */
  allocate(list: string, candidates: readonly number[], ttl: number): Promise<number | 'full' | 'missing'>;
  /**
   * Marks entries. If that changes anything, those of `decoys` that are free are taken and marked as well. Does nothing if there is no
   * such list.
   */
  mark(list: string, indexes: readonly number[], decoys: readonly number[]): Promise<void>;
  /**
   * Changes with every mark: the time of the newest one in milliseconds since the epoch, or the next number.
   * @returns `undefined` if there is no such list
   */
  version(list: string): Promise<number | undefined>;
  marks(list: string): Promise<Marks | undefined>;
  /** @returns `undefined` if there is no such list */
  isMarked(list: string, idx: number): Promise<boolean | undefined>;
  close(): Promise<void>;
}
