/**
 * Owns a map and a set for values that are in them for a short time, such as running requests and connections.
 *
 * V8 moves the entries of a full Map or Set to a new table, and the old table refers to the new one. Once one table is in the old
 * generation, the collector of the young generation treats every later table as alive, with all values that it had: it copies them
 * although they were deleted, and they stay until a full collection. Here a table refers to cells, and a deleted cell is empty.
 */

interface Cell<V> {
  value: V | undefined;
}

/** A map of values that are deleted soon. Its keys should be small: the tables keep them. */
export class TransientMap<K, V extends object> {
  readonly #cells = new Map<K, Cell<V>>();

  get size(): number {
    return this.#cells.size;
  }

  has(key: K): boolean {
    return this.#cells.has(key);
  }

  get(key: K): V | undefined {
    return this.#cells.get(key)?.value;
  }

  set(key: K, value: V): void {
    const cell = this.#cells.get(key);
    if (cell) cell.value = value;
    else this.#cells.set(key, { value });
  }

  /** @returns whether there was such an entry */
  delete(key: K): boolean {
    const cell = this.#cells.get(key);
    if (!cell) return false;
    cell.value = undefined;
    return this.#cells.delete(key);
  }

  clear(): void {
    for (const cell of this.#cells.values()) cell.value = undefined;
    this.#cells.clear();
  }

  /** In the order in which the keys were first set. */
  *values(): Generator<V> {
    for (const { value } of this.#cells.values()) if (value) yield value;
  }

  *[Symbol.iterator](): Generator<[K, V]> {
    for (const [key, { value }] of this.#cells) if (value) yield [key, value];
  }
}

/** A set of objects that are removed soon. */
export class TransientSet<V extends object> {
  readonly #cells = new Set<Cell<V>>();

  get size(): number {
    return this.#cells.size;
  }

  /** @returns a function that removes the object; calling it again does nothing */
  add(value: V): () => void {
    const cell: Cell<V> = { value };
    this.#cells.add(cell);
    return () => {
      cell.value = undefined;
      this.#cells.delete(cell);
    };
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Generator<V> {
    for (const { value } of this.#cells) if (value) yield value;
  }
}
