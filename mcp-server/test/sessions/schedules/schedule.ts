/**
 * Owns the order in which things happen in a model run: whatever takes time waits in a lane, and a step lets the head of one
 * lane happen. Things of one lane keep their order, as commands on one connection do; lanes overtake each other at will.
 */
import { setImmediate } from 'node:timers/promises';

/** What becomes of a question to the store: answered, never heard, heard and the answer lost, or heard when nobody waits. */
export type Fate = 'done' | 'refused' | 'unanswered' | 'late';

type Task = (fate: Fate) => void | Promise<void>;

interface Waiting {
  readonly lane: string;
  readonly task: Task;
}

/** More steps than any run needs: who does not come to rest goes round in circles. */
const ENDLESS = 20_000;

export class Schedule {
  #waiting: Waiting[] = [];

  add(lane: string, task: Task): void {
    this.#waiting.push({ lane, task });
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lets one thing happen, if any waits. */
  async step(pick: number, fate: Fate): Promise<void> {
    const heads = this.#heads();
    await this.#run(heads[pick % heads.length], fate);
  }

  /** Lets everything happen, the oldest first, until nothing is left that `counts`. */
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

/** Everything that follows without waiting for the world has happened. */
export async function quiet(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
