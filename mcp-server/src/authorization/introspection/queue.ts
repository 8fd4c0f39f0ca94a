/**
 * Owns how many questions run at the same time: the issuer is not flooded after a start, when no answer is known, and what waits is
 * bounded.
 */

/** Too many wait already. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

export class Queue {
  #free: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];

  constructor(running: number, waiting: number) {
    this.#free = running;
    this.#most = waiting;
  }

  /** @throws QueueFull if too many wait */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  /** A place that becomes free goes to the one that has waited longest. */
  async #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    if (this.#waiting.length >= this.#most) throw new QueueFull('too many tokens are being asked about');
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
