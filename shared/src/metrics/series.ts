/**
 * Owns the numbers behind a metric, one for each combination of label values. A request cannot add a label value: a value that is
 * not declared counts as `other`, and the number of values of a label without a list is bounded.
 */
import type { Declaration } from './declaration.ts';

export const OTHER = 'other';

/** Maximum number of values of a label without a list of values: tools of the catalog, connectors. */
const MOST = 500;

/** Up to this number of combinations exist from the start, so that the first occurrence is seen as an increase. */
const FORESEEN = 100;

interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  leaf: T | undefined;
}

export type Labelled<T> = readonly [labels: readonly (readonly [name: string, value: string])[], leaf: T];

/** A tree with one level per label: looking up three short names costs less than joining them. */
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

  /** The number for these values, one for each label in the order of the labels. */
  at(values: readonly string[]): T {
    let branch = this.#root;
    for (let n = 0; n < values.length; n += 1) {
      const value = values[n] ?? OTHER;
      branch = branch.next.get(value) ?? this.#grow(branch, value, n);
    }
    branch.leaf ??= this.#make();
    return branch.leaf;
  }

  /** Creates all combinations if they are known and few. */
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
