/**
 * Owns the comparison of a sign-in or an approval with a logout. The two times may come from two replicas, whose clocks differ. Of the
 * two possible errors the harmless one is chosen: who signs in within seconds after a logout may have to sign in again, but nothing
 * that began before a logout outlives it.
 */

/** Seconds by which the clocks of two replicas may differ. */
export const CLOCK_DIFFERENCE = 3;

/**
 * @param since when it began, in seconds since the epoch
 * @param endedAt when everything before ended; `undefined`: never
 */
export const hasEnded = (since: number, endedAt: number | undefined): boolean =>
  endedAt !== undefined && since <= endedAt + CLOCK_DIFFERENCE;
