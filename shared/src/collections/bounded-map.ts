/**
 * Owns a map with a maximum number of entries, so that data of others cannot fill the memory: a new entry replaces the one that was
 * set longest ago. Owns, too, how the oldest entry of a large map is found.
 */

/**
 * A map whose oldest entry can be taken out quickly, however many were taken out before. A Map keeps the order of insertion, but a new
 * iterator passes over the gaps of all entries that were deleted since V8 last copied the table: several thousand in a large map.
 */
export class AgedMap<K, V> extends Map<K, V> {
  /** Goes on where the last oldest entry was; everything before it has been taken out. */
  #rest: MapIterator<[K, V]> | undefined;
  /** Entries that were set since the iterator was created. */
  #added = 0;

  override set(key: K, value: V): this {
    super.set(key, value);
    this.#added += 1;
    // An iterator keeps the earlier tables of its map in memory.
    if (this.#added > this.size) this.#begin();
    return this;
  }

  /** Deletes the entry that was inserted first. @returns nothing if the map is empty */
  takeOldest(): [K, V] | undefined {
    this.#rest ??= this.entries();
    let next = this.#rest.next();
    if (next.done) {
      this.#begin();
      next = this.entries().next();
    }
    if (next.done) return undefined;
    this.delete(next.value[0]);
    return next.value;
  }

  override clear(): void {
    super.clear();
    this.#begin();
  }

  #begin(): void {
    this.#rest = undefined;
    this.#added = 0;
  }
}

/** With `use` instead of `get`, a new entry replaces the least recently used one. */
export class BoundedMap<K, V> extends AgedMap<K, V> {
  readonly #capacity: number;

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  /** An entry that is set again goes to the end, and the first is the oldest. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#capacity) this.takeOldest();
    return this;
  }

  /** Gets an entry, which then counts as the newest. */
  use(key: K): V | undefined {
    const value = this.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }
}
