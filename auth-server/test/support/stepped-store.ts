/**
 * Owns a record store in a test whose calls can be counted, delayed or made to fail, to test what happens between two
 * steps.
 */
import { type RecordStore, StoreUnavailable } from '../../src/storage/record-store.ts';

interface Interruption {
  /** The number of the call in the run, from 0. */
  readonly step: number;
  readonly other: () => Promise<unknown>;
}

interface Outage {
  readonly step: number;
  /** Fails only this call, or every call from here on. */
  readonly loss: 'once' | 'from then on';
}

export interface SteppedStore {
  readonly store: RecordStore;
  /** Counts the calls of a run. */
  count(run: () => Promise<unknown>): Promise<number>;
  /** Runs another action completely just before this call of the run. */
  between<T>(interruption: Interruption, run: () => Promise<T>): Promise<T>;
  /** Makes the store fail at this call of the run. */
  without<T>(outage: Outage, run: () => Promise<T>): Promise<T>;
}

export function createSteppedStore(store: RecordStore): SteppedStore {
  let before: ((step: number) => Promise<void> | void) | undefined;
  let calls = 0;
  const stepped = Object.entries(store).map(([name, call]) => [
    name,
    async (...args: unknown[]) => {
      const step = calls;
      calls += 1;
      await before?.(step);
      return call(...args);
    },
  ]);
  async function watch<T>(hook: NonNullable<typeof before>, run: () => Promise<T>): Promise<T> {
    [before, calls] = [hook, 0];
    try {
      return await run();
    } finally {
      before = undefined;
    }
  }
  return {
    store: Object.fromEntries(stepped),
    count: async (run) => {
      await watch(() => undefined, run);
      return calls;
    },
    between: ({ step, other }, run) =>
      watch(async (now) => {
        if (now !== step) return;
        before = undefined;
        await other();
      }, run),
    without: ({ step, loss }, run) =>
      watch((now) => {
        if (now === step || (loss === 'from then on' && now > step)) throw new StoreUnavailable('lost');
      }, run),
  };
}
