/** Owns the clock of tests: its time changes only when a test advances it. */
import type { Clock } from '../src/clock.ts';

export class FakeClock implements Clock {
  #now: number;

  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Advances the clock by `seconds`. */
  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
