/** Owns the future of a simulation: what happens next, earliest first, in the order of its entry where two are at the same time. */
interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const isBefore = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap: each parent is before its two children. */
export class Timeline {
  readonly #heap: Happening[] = [];
  #order = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  /** @param delay from now, in the unit of the caller */
  after(delay: number, run: () => void): void {
    this.#order += 1;
    const entry = { at: this.#now + delay, order: this.#order, run };
    let place = this.#heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (!above || isBefore(above, entry)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = entry;
  }

  /** Runs everything that happens until `end`. */
  runUntil(end: number): void {
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#takeFirst();
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      if (!left) break;
      const [child, at] = right && isBefore(right, left) ? [right, 2 * place + 2] : [left, 2 * place + 1];
      if (!isBefore(child, last)) break;
      this.#heap[place] = child;
      place = at;
    }
    this.#heap[place] = last;
  }
}
