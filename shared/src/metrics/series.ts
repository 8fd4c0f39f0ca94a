/**
 * Owns the plain numbers behind a metric, one for each combination of label values. What a request says never makes a new one: a
 * value that is not declared counts as `other`, and those that are only named in words are bounded by number.
 */
import type { Declaration } from './declaration.ts';

export const OTHER = 'other';

/** Most values of a label whose values are not listed: tools of the catalog, connectors. */
const MOST = 500;

/** Up to so many combinations are there from the start, so that the first occurrence is seen as an increase. */
const FORESEEN = 100;

interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  leaf: T | undefined;
}

export type Labelled<T> = readonly [labels: readonly (readonly [name: string, value: string])[], leaf: T];

/** By value for value, as a look-up of three short names costs less than joining them would. */
export class Series<T> {
  readonly #names: readonly string[];
  readonly #listed: readonly (ReadonlySet<string> | undefined)[];
  readonly #make: () => T;
  readonly #root: Branch<T> = { next: new Map(), leaf: undefined };

  constructor({ labels = {} }: Declaration, make: () => T) {
    this.#names = Object.keys(labels);
    this.#listed = Object.values(labels).map((values) => (typeof values === 'string' ? undefined : new Set(values)));
    this.#make = make;
  }

  /** What stands for these values, one for each label in its order. */
  at(values: readonly string[]): T {
    let branch = this.#root;
    for (let n = 0; n < values.length; n += 1) {
      const value = values[n] ?? OTHER;
      branch = branch.next.get(value) ?? this.#grow(branch, value, n);
    }
    branch.leaf ??= this.#make();
    return branch.leaf;
  }

  /** Makes all combinations where they are known and few. */
  foresee(): this {
    const lists = this.#listed.map((listed) => [...(listed ?? [])]);
    const count = lists.reduce((product, list) => product * list.length, 1);
    if (count <= FORESEEN) for (const values of combinations(lists)) this.at(values);
    return this;
  }

  *all(branch = this.#root, values: readonly string[] = []): Generator<Labelled<T>> {
    if (branch.leaf !== undefined) yield [this.#names.map((name, n) => [name, values[n] ?? ''] as const), branch.leaf];
    for (const [value, next] of branch.next) yield* this.all(next, [...values, value]);
  }

  #grow({ next }: Branch<T>, value: string, depth: number): Branch<T> {
    const listed = this.#listed[depth];
    const name = (listed ? listed.has(value) : next.size < MOST) ? value : OTHER;
    const grown = next.get(name) ?? { next: new Map(), leaf: undefined };
    next.set(name, grown);
    return grown;
  }
}

const combinations = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.reduce<readonly (readonly string[])[]>(
    (found, list) => found.flatMap((values) => list.map((value) => [...values, value])),
    [[]],
  );
