/**
 * Owns the byte budgets of the events in one process: of each session, of each person and of all. Also owns the
 * choice of the events that are dropped to stay within them.
 */
import { type ExhaustedBudget, GUARANTEED_BYTES, type LogLimits } from '../../sessions/ports.ts';

/** A session, as a user of the budgets. */
export interface BudgetHolder {
  readonly person: string;
  bytes: number;
  /** Drops ended streams without a reader, oldest first, until no more than `most` bytes are left. */
  shed(most: number): void;
}

interface Person {
  readonly holders: Set<BudgetHolder>;
  bytes: number;
}

export class ByteBudgets {
  readonly #limits: LogLimits;
  readonly #people = new Map<string, Person>();
  #bytes = 0;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  enter(holder: BudgetHolder): void {
    const person = this.#people.get(holder.person) ?? { holders: new Set(), bytes: 0 };
    this.#people.set(holder.person, person);
    person.holders.add(holder);
  }

  leave(holder: BudgetHolder): void {
    this.take(holder, -holder.bytes);
    const person = this.#people.get(holder.person);
    person?.holders.delete(holder);
    if (person?.holders.size === 0) this.#people.delete(holder.person);
  }

  /** @param bytes negative: given back */
  take(holder: BudgetHolder, bytes: number): void {
    const person = this.#people.get(holder.person);
    if (person) person.bytes += bytes;
    holder.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Makes space for so many more bytes. @returns the budget that is used up, when there is not enough space */
  make(holder: BudgetHolder, bytes: number): ExhaustedBudget | undefined {
    const { sessionBytes, personBytes, totalBytes } = this.#limits;
    if (holder.bytes + bytes > sessionBytes) holder.shed(Math.max(0, sessionBytes - bytes));
    if (holder.bytes + bytes > sessionBytes) return 'session';
    if (this.#bytesOf(holder.person) + bytes > personBytes) this.#shed(holder.person, personBytes - bytes);
    const least = holder.bytes + bytes <= GUARANTEED_BYTES;
    if (!least && this.#bytesOf(holder.person) + bytes > personBytes) return 'principal';
    if (this.#bytes + bytes > totalBytes) this.#shedAll(totalBytes - bytes);
    return !least && this.#bytes + bytes > totalBytes ? 'server' : undefined;
  }

  #bytesOf(person: string): number {
    return this.#people.get(person)?.bytes ?? 0;
  }

  /** Starts with the session that has most bytes. */
  #shed(person: string, most: number): void {
    const theirs = [...(this.#people.get(person)?.holders ?? [])].sort((a, b) => b.bytes - a.bytes);
    for (const holder of theirs) {
      const tooMany = this.#bytesOf(person) - most;
      if (tooMany <= 0) return;
      holder.shed(Math.max(0, holder.bytes - tooMany));
    }
  }

  /** Starts with the person who has most bytes. */
  #shedAll(most: number): void {
    const people = [...this.#people].sort(([, a], [, b]) => b.bytes - a.bytes);
    for (const [person, { bytes }] of people) {
      const tooMany = this.#bytes - most;
      if (tooMany <= 0) return;
      this.#shed(person, Math.max(0, bytes - tooMany));
    }
  }
}
