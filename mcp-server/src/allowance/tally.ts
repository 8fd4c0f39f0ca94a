/** Owns sums by name. A name whose sum is zero is removed, so that people who have left take no memory. */

export class Tally {
  readonly #sums = new Map<string, number>();

  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  add(name: string, amount: number): void {
    const sum = this.of(name) + amount;
    if (sum > 0) this.#sums.set(name, sum);
    else this.#sums.delete(name);
  }

  /** Number of names with a sum. */
  get size(): number {
    return this.#sums.size;
  }
}
