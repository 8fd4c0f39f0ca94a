/**
 * Owns the limit on made-up tokens: how many questions of one caller may be unanswered or have found no acceptable token within a
 * minute. It counts callers and no tokens, because a stranger can make up any number of tokens.
 */

import type { Clock } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';

/** One question of a caller. */
export interface Turn {
  /** @param isMiss whether the issuer does not know the token, or it is not accepted: it then counts until the minute is over */
  end(isMiss: boolean): void;
}

interface Minute {
  /** Milliseconds since the epoch. */
  until: number;
  misses: number;
  /** Unanswered questions; they count in the next minute too. */
  pending: number;
}

const MINUTE = 60_000;
const MAX_CALLERS = 10_000;

export class Callers {
  readonly #minutes = new BoundedMap<string, Minute>(MAX_CALLERS);
  readonly #clock: Clock;
  readonly #most: number;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** @returns nothing if the caller has reached the limit */
  begin(address: string): Turn | undefined {
    const minute = this.#minuteOf(address);
    if (minute.misses + minute.pending >= this.#most) return undefined;
    minute.pending += 1;
    return {
      end: (isMiss) => {
        minute.pending -= 1;
        if (isMiss) this.#minuteOf(address).misses += 1;
      },
    };
  }

  #minuteOf(address: string): Minute {
    const now = this.#clock.now();
    const minute = this.#minutes.get(address) ?? { until: 0, misses: 0, pending: 0 };
    if (now < minute.until) return minute;
    minute.until = now + MINUTE;
    minute.misses = 0;
    this.#minutes.set(address, minute);
    return minute;
  }
}
