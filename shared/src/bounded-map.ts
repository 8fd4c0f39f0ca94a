/**
 * Owns a map with a maximum number of entries, so that data of others cannot fill the memory: a new entry replaces the one that was
 * set longest ago.
 */

/** With `use` instead of `get`, a new entry replaces the least recently used one. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #capacity: number;

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  /** A Map keeps the order of insertion, so an entry that is set again goes to the end, and the first is the oldest. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#capacity) {
      const oldest = this.keys().next();
      if (!oldest.done) this.delete(oldest.value);
    }
    return this;
  }

  /** Gets an entry, which then counts as the newest. */
  use(key: K): V | undefined {
    const value = this.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }
}
