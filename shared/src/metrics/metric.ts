/** Owns the three kinds of metric: a counter, a histogram of seconds, and a gauge that is read at each scrape. */
import type { Declaration, Metric, Sample } from './declaration.ts';
import { Series } from './series.ts';

export class Counter implements Metric {
  readonly declaration: Declaration;
  readonly #series: Series<{ count: number }>;

  constructor(declaration: Declaration) {
    this.declaration = declaration;
    this.#series = new Series(declaration, () => ({ count: 0 })).foresee();
  }

  /** Adds one, for these label values in the order of the labels. */
  add(...values: readonly string[]): void {
    this.addMany(1, ...values);
  }

  addMany(count: number, ...values: readonly string[]): void {
    this.#series.at(values).count += count;
  }

  samples(): readonly Sample[] {
    return [...this.#series.all()].map(([labels, { count }]) => ({ labels, value: count }));
  }
}

/** Upper bounds in seconds: from an answer out of memory to a call for which a person waits. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

interface Observed {
  /** Number of values between a bound and the one before; the last is for values above all bounds. */
  readonly counts: number[];
  sum: number;
}

export class Histogram implements Metric {
  readonly declaration: Declaration;
  readonly #series: Series<Observed>;

  constructor(declaration: Declaration) {
    this.declaration = declaration;
    this.#series = new Series(declaration, () => ({ counts: new Array(BOUNDS.length + 1).fill(0), sum: 0 }));
  }

  observe(seconds: number, ...values: readonly string[]): void {
    const observed = this.#series.at(values);
    let n = 0;
    while (n < BOUNDS.length && seconds > (BOUNDS[n] ?? 0)) n += 1;
    observed.counts[n] = (observed.counts[n] ?? 0) + 1;
    observed.sum += seconds;
  }

  samples(): readonly Sample[] {
    return [...this.#series.all()].flatMap(([labels, { counts, sum }]) => {
      let total = 0;
      const buckets = counts.map((count, n) => {
        total += count;
        const bound = BOUNDS[n] === undefined ? '+Inf' : String(BOUNDS[n]);
        return { suffix: '_bucket', labels: [...labels, ['le', bound] as const], value: total };
      });
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total }];
    });
  }
}

/** `undefined`: no value yet, so there is no sample. */
type Read = () => number | undefined | Promise<number | undefined>;

export class Gauge implements Metric {
  readonly declaration: Declaration;
  readonly #read: Read;

  constructor(declaration: Declaration, read: Read) {
    this.declaration = declaration;
    this.#read = read;
  }

  async samples(): Promise<readonly Sample[]> {
    const value = await this.#read();
    return value === undefined ? [] : [{ labels: [], value }];
  }
}

type ReadEach = () => readonly (readonly [value: string, reading: number | undefined])[];

/** A gauge with one label, which is read for each of its values. */
export class LabelledGauge implements Metric {
  readonly declaration: Declaration;
  readonly #read: ReadEach;

  constructor(declaration: Declaration, read: ReadEach) {
    this.declaration = declaration;
    this.#read = read;
  }

  samples(): readonly Sample[] {
    const [label = ''] = Object.keys(this.declaration.labels ?? {});
    return this.#read().flatMap(([name, value]) => (value === undefined ? [] : [{ labels: [[label, name]], value }]));
  }
}

/** A gauge that is always 1: its labels carry the information. */
export const constant = (declaration: Declaration, labels: Readonly<Record<string, string>>): Metric => ({
  declaration,
  samples: () => [{ labels: Object.entries(labels), value: 1 }],
});
