/**
 * Owns how long something that an upstream publishes is believed: as long as it says (RFC 9111 §4.2), within bounds; asked for
 * again after that and after a failed sign-in; and the old copy serves meanwhile, for a day.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { FreshnessBounds } from '@mcp-oauth/shared/network/freshness';

/** Seconds. A document is small and people sign in one by one, so a provider that wants to be asked each time is asked. */
export const BOUNDS: FreshnessBounds = { min: 1, usual: 3_600, max: 86_400 };
/** Seconds that a copy serves after its time while a new one can't be had. */
const LAST_RESORT = 86_400;
/** Seconds until a renewal that failed is tried again. */
const PAUSE = 30;
/** Milliseconds that a person waits for a renewal before the old copy is taken. */
const PATIENCE = 2_000;

export interface Remembered<T> {
  /** @throws what loading threw, where there is no copy to fall back to */
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
  /** Told of a renewal that failed while an old copy serves. */
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
