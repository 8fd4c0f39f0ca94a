/**
 * Owns the order of events in a model run: each asynchronous step waits in a queue, and the schedule runs the head of
 * one queue at a time. Steps of one queue keep their order, like commands on one connection; queues overtake each
 * other.
 */
import { setImmediate } from 'node:timers/promises';

/**
 * The outcome of a call to the store: answered, never received, received with the answer lost, or received too late.
 */
export type Fate = 'done' | 'refused' | 'unanswered' | 'late';

type Task = (fate: Fate) => void | Promise<void>;

interface Waiting {
  readonly lane: string;
  readonly task: Task;
}

/** More steps than any run needs: a run that exceeds them never comes to rest. */
const ENDLESS = 20_000;

export class Schedule {
  #waiting: Waiting[] = [];

  add(lane: string, task: Task): void {
    this.#waiting.push({ lane, task });
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Runs one waiting step, if there is any. */
  async step(pick: number, fate: Fate): Promise<void> {
    const heads = this.#heads();
    await this.#run(heads[pick % heads.length], fate);
  }

  /** Runs all steps, the oldest first, until no step is left that `counts`. */
  async settle(counts: (lane: string) => boolean = () => true): Promise<void> {
    await quiet();
    for (let steps = 0; ; steps += 1) {
      const next = this.#waiting.find(({ lane }) => counts(lane));
      if (!next) return;
      if (steps > ENDLESS) throw new Error(`no rest: ${next.lane} goes on and on`);
      await this.#run(next, 'done');
    }
  }

  #heads(): readonly Waiting[] {
    const heads = new Map<string, Waiting>();
    for (const waiting of this.#waiting) if (!heads.has(waiting.lane)) heads.set(waiting.lane, waiting);
    return [...heads.values()];
  }

  async #run(waiting: Waiting | undefined, fate: Fate): Promise<void> {
    if (!waiting) return;
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    await waiting.task(fate);
    await quiet();
  }
}

/** Waits for everything that follows without another scheduled step. */
export async function quiet(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
