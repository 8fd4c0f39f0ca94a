/**
 * Owns how long a document of an upstream is cached: as long as it says (RFC 9111 §4.2), within bounds. It is fetched again after
 * that and after a failed sign-in; if that fails, the previous copy stays in use for a day.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { FreshnessBounds } from '@mcp-oauth/shared/documents/freshness';

/** Seconds. A document is small and sign-ins are rare, so a provider that forbids caching is asked each time. */
export const BOUNDS: FreshnessBounds = { min: 1, usual: 3_600, max: 86_400 };
/** Seconds that a stale copy is used while a new one cannot be fetched. */
const LAST_RESORT = 86_400;
/** Seconds until a failed renewal is tried again. */
const PAUSE = 30;
/** Milliseconds that a person waits for a renewal before the previous copy is used. */
const PATIENCE = 2_000;

export interface Remembered<T> {
  /** @throws the error of the fetch, if there is no copy to fall back to */
  get(): Promise<T>;
  /** Fetches now, whatever the age of the copy. Concurrent calls share one fetch. */
  renew(): Promise<T>;
}

export interface Loaded<T> {
  readonly value: T;
  /** Seconds. */
  readonly freshFor: number;
}

export interface RememberedOptions {
  readonly clock: Clock;
  /** Called for a renewal that failed while a previous copy is used. */
  readonly onTrouble: (error: unknown) => void;
}

interface Copy<T> {
  readonly value: T;
  /** Milliseconds since the epoch. */
  freshUntil: number;
  readonly usableUntil: number;
}

export function remembered<T>(load: () => Promise<Loaded<T>>, { clock, onTrouble }: RememberedOptions): Remembered<T> {
  let copy: Copy<T> | undefined;
  let running: Promise<T> | undefined;

  async function ask(): Promise<T> {
    try {
      const { value, freshFor } = await load();
      const freshUntil = clock.now() + freshFor * 1_000;
      copy = { value, freshUntil, usableUntil: freshUntil + LAST_RESORT * 1_000 };
      return value;
    } catch (error) {
      if (!copy || copy.usableUntil <= clock.now()) throw error;
      copy.freshUntil = clock.now() + PAUSE * 1_000;
      onTrouble(error);
      return copy.value;
    }
  }

  const renew = (): Promise<T> => {
    running ??= ask().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    renew,
    get: async () => {
      if (copy && clock.now() < copy.freshUntil) return copy.value;
      const asked = renew();
      if (!copy || copy.usableUntil <= clock.now()) return asked;
      return await inTime(asked, copy.value);
    },
  };
}

function inTime<T>(asked: Promise<T>, old: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(old), PATIENCE);
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
