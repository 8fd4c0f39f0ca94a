/**
 * Owns the copy of one status list: when it is read, how long it counts, and what it says of an index. A failure to read it changes
 * nothing but its age.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createOutage } from '@mcp-oauth/shared/network/outage';
import { isMarked } from '@mcp-oauth/shared/status-list/status-list';
import { type ListDocument, withMarksOf } from './document.ts';

/** `beyond`: the list has no such index. `unavailable`: there is no copy that is recent enough. */
export type Standing = 'good' | 'marked' | 'beyond' | 'unavailable';

/** Seconds. */
export interface StatusLimits {
  /** A mark is known after so long. */
  readonly maxAge: number;
  /** For so long a copy counts while its list cannot be read. */
  readonly grace: number;
}

/** The copy that a request may confirm. */
interface Held {
  readonly kid: string | undefined;
  readonly etag: string | undefined;
}

export interface StatusListOptions {
  /** Resolves to nothing if the copy held is still the newest. */
  readonly read: (held: Held | undefined) => Promise<{ document: ListDocument; etag: string | undefined } | undefined>;
  readonly limits: StatusLimits;
  readonly clock: Clock;
  /** Called when another copy is held, and once more after the next read: a request may have passed the check just before. */
  readonly onChange: () => void;
  /** Called for every failure. `isNews` is true for the first one, and for every new reason. */
  readonly onFailure: (error: unknown, isNews: boolean) => void;
  readonly onRecovery: () => void;
}

/** Milliseconds between two calls of `tick`. */
export const TICK = 250;

/** An issuer may publish a mark a second late: it looks for new ones once a second. */
const PUBLISHED_AFTER = 1_000;

/** Milliseconds between two requests: a mark is known within `maxAge`, with an eighth of it left for the request. */
const paceOf = ({ maxAge }: StatusLimits): number => Math.max(500, (maxAge * 1000 - PUBLISHED_AFTER) * 0.875) - TICK;

/** Seconds for which a token may count after it has expired: the clocks of two machines differ by as much. */
const EXPIRED = 60;

/** A token that lives long is refused after so many times the age, whatever the grace. */
const LONG_LIVED_AGES = 3;

export class StatusList {
  readonly #options: StatusListOptions;
  readonly #pace: number;
  readonly #neededSince: number;
  readonly #outage = createOutage();
  #copy: ListDocument | undefined;
  #etag: string | undefined;
  /** Milliseconds since the epoch: when the request that confirmed the copy began. */
  #readAt: number;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #wasTried = false;
  #failure: string | undefined = 'not read yet';
  #hasChanged = false;
  #running: Promise<void> | undefined;
  /** Seconds since the epoch: when the last token with this list that was seen expires. */
  #until = 0;

  constructor(options: StatusListOptions) {
    this.#options = options;
    this.#pace = paceOf(options.limits);
    this.#neededSince = options.clock.now();
    this.#readAt = this.#neededSince;
  }

  /** Whether an answer was waited for, with or without success. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** Seconds since the last success, or since the list was first needed. */
  get age(): number {
    return Math.max(0, this.#options.clock.now() - this.#readAt) / 1000;
  }

  /** Why it could not be read at the last attempt; absent: it was read. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** @param until seconds since the epoch at which a token with this list expires */
  need(until: number): void {
    if (until > this.#until) this.#until = until;
  }

  isNeeded(now: number): boolean {
    return now < (this.#until + EXPIRED) * 1000;
  }

  /** A mark counts however old the copy is. */
  isMarked(idx: number): boolean {
    return this.#copy !== undefined && isMarked(this.#copy.bits, idx);
  }

  standingOf(idx: number, isLongLived: boolean): Standing {
    const { limits, clock } = this.#options;
    const copy = this.#copy;
    if (copy && idx >= copy.entries) return 'beyond';
    if (copy && isMarked(copy.bits, idx)) return 'marked';
    const [now, lasts] = [clock.now(), isLongLived ? limits.maxAge * LONG_LIVED_AGES : limits.grace];
    const hasExpired = copy !== undefined && now >= copy.expiresAt * 1000;
    return now - this.#readAt < lasts * 1000 && !hasExpired ? 'good' : 'unavailable';
  }

  /** Reads the list if it is time to. */
  tick(): void {
    const waited = this.#options.clock.now() - this.#attemptedAt;
    // A negative time means that the clock was set back. `onFailure` reports why a list could not be read.
    if (waited >= this.#pace || waited < 0) this.refresh().catch(() => {});
  }

  /** Resolves when the list was read, or could not be. One request runs at a time. */
  refresh(): Promise<void> {
    this.#running ??= this.#read().finally(() => {
      this.#running = undefined;
      this.#wasTried = true;
    });
    return this.#running;
  }

  async #read(): Promise<void> {
    const { read, clock, onChange, onFailure, onRecovery } = this.#options;
    const started = clock.now();
    this.#attemptedAt = started;
    const copy = this.#copy;
    const etag = copy && started < copy.expiresAt * 1000 ? this.#etag : undefined;
    try {
      const found = await read(copy && { kid: copy.kid, etag });
      if (found) this.#replace(found.document, found.etag);
      this.#readAt = started;
      this.#failure = undefined;
      if (this.#outage.isAway) onRecovery();
      this.#outage.end();
      const isDue = found !== undefined || this.#hasChanged;
      this.#hasChanged = found !== undefined;
      if (isDue) onChange();
    } catch (error) {
      this.#failure = reasonOf(error);
      onFailure(error, this.#outage.begin(this.#failure) !== undefined);
    }
  }

  /**
   * Replicas of an issuer sign the same marks at different times, and a store may lose its last writes, so an older document may confirm
   * the copy. It takes no mark away: somebody may have kept it.
   */
  #replace(document: ListDocument, etag: string | undefined): void {
    const copy = this.#copy;
    const isNewer = copy === undefined || document.issuedAt > copy.issuedAt;
    this.#copy = isNewer ? document : { ...withMarksOf(document, copy), issuedAt: copy.issuedAt };
    this.#etag = etag;
  }
}
