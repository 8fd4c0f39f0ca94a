/** Owns sums by name; a name whose sum is zero is forgotten, so that nothing is left of whoever is gone. */

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

  /** How many names have a sum. */
  get size(): number {
    return this.#sums.size;
  }
}
