/**
 * Owns the number of requests that continue in one turn of the event loop after they have waited for the store.
 * Redis answers many requests at once. Each may then create an answer of megabytes, and none of them could be sent
 * or refused before the last one exists.
 */

/** Maximum number of requests per turn: with MAX_ANSWER_BYTES of 4 MiB, at most 32 MiB of answers. */
const IN_A_TURN = 8;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #left = IN_A_TURN;
  #isArmed = false;

  /** Absent: the request continues immediately. */
  wait(): Promise<void> | undefined {
    this.#arm();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => {
      this.#isArmed = false;
      const next = this.#waiting.splice(0, IN_A_TURN);
      this.#left = IN_A_TURN - next.length;
      for (const go of next) go();
      if (next.length > 0) this.#arm();
    });
  }
}
