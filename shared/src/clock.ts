/** Owns the clock: everything that needs the current time takes a Clock, so that tests can set it. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 7519 §2 NumericDate: whole seconds since the epoch. */
export const seconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
