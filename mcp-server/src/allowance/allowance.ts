/**
 * Owns the resources that each person uses on this replica, across all clients, sessions and revisions of MCP:
 * running requests, and the memory of bodies and of unread answers. Every check and every change takes one or two
 * lookups.
 */
import { type Owner, personOf } from '../authorization/principal.ts';
import { type Limit, type LimitReached, limitReached } from './limit.ts';
import { Tally } from './tally.ts';
import { Turns } from './turns.ts';

type Person = Pick<Owner, 'issuer' | 'subject'>;

export interface AllowanceLimits {
  readonly maxMessageBytes: number;
  readonly maxMessageElements: number;
  readonly maxBatchMessages: number;
  readonly maxAnswerBytes: number;
  readonly maxCallsPerSession: number;
  readonly maxCallsPerPrincipal: number;
  readonly maxBytesPerPrincipal: number;
}

export interface AllowanceOptions {
  readonly limits: AllowanceLimits;
  /** Called for each refusal. */
  readonly onReached?: ((limit: Limit) => void) | undefined;
}

type RunningLimit = 'MAX_CALLS_PER_SESSION' | 'MAX_CALLS_PER_PRINCIPAL';

export class Allowance {
  readonly limits: AllowanceLimits;
  readonly turns = new Turns();
  readonly #onReached: ((limit: Limit) => void) | undefined;
  readonly #running = new Tally();
  readonly #runningOfSession = new Tally();
  readonly #bytes = new Tally();
  /** Cached, as all requests with the same cached token have the same principal. */
  readonly #names = new WeakMap<Person, string>();

  constructor({ limits, onReached }: AllowanceOptions) {
    this.limits = limits;
    this.#onReached = onReached;
  }

  /** Counts a refusal. @returns the error for the client */
  reached(limit: Limit, most: number): LimitReached {
    this.#onReached?.(limit);
    return limitReached(limit, most);
  }

  /** The limit that one more running request would exceed, if any. */
  runningLimit(person: Person, session?: string): RunningLimit | undefined {
    const { maxCallsPerSession, maxCallsPerPrincipal } = this.limits;
    if (session !== undefined && this.#runningOfSession.of(session) >= maxCallsPerSession) {
      return 'MAX_CALLS_PER_SESSION';
    }
    return this.#running.of(this.#nameOf(person)) >= maxCallsPerPrincipal ? 'MAX_CALLS_PER_PRINCIPAL' : undefined;
  }

  /** Counts a refusal because of running requests. @returns the error for the client */
  runningReached(limit: RunningLimit): LimitReached {
    const { maxCallsPerSession, maxCallsPerPrincipal } = this.limits;
    return this.reached(limit, limit === 'MAX_CALLS_PER_SESSION' ? maxCallsPerSession : maxCallsPerPrincipal);
  }

  begin(person: Person, session?: string): void {
    this.#running.add(this.#nameOf(person), 1);
    if (session !== undefined) this.#runningOfSession.add(session, 1);
  }

  end(person: Person, session?: string): void {
    this.#running.add(this.#nameOf(person), -1);
    if (session !== undefined) this.#runningOfSession.add(session, -1);
  }

  /** The share of a person's memory that one request takes; it must be released. */
  share(person: Person): Share {
    return new Share(this.#bytes, this.#nameOf(person), this.limits.maxBytesPerPrincipal);
  }

  #nameOf(person: Person): string {
    const known = this.#names.get(person);
    if (known !== undefined) return known;
    const name = personOf(person);
    this.#names.set(person, name);
    return name;
  }
}

export class Share {
  readonly #bytes: Tally;
  readonly #person: string;
  readonly #most: number;
  #held = 0;

  constructor(bytes: Tally, person: string, most: number) {
    this.#bytes = bytes;
    this.#person = person;
    this.#most = most;
  }

  /** @returns false, and reserves nothing, when the person's limit would be exceeded */
  hold(bytes: number): boolean {
    if (this.#bytes.of(this.#person) + bytes > this.#most) return false;
    this.#held += bytes;
    this.#bytes.add(this.#person, bytes);
    return true;
  }

  /** @param bytes absent: all. Never releases more than is held. */
  release(bytes = this.#held): void {
    const released = Math.min(bytes, this.#held);
    this.#held -= released;
    this.#bytes.add(this.#person, -released);
  }
}
