/**
 * Owns how many requests that waited for the store go on in one turn of the event loop. Redis answers many of them at once; each may
 * then make an answer of megabytes, and none of these could be sent or refused before the last one was made.
 */

/** Requests in one turn: with answers of MAX_ANSWER_BYTES, 4 MiB, at most 32 MiB at a time. */
const IN_A_TURN = 8;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #left = IN_A_TURN;
  #isArmed = false;

  /** Absent: the request goes on at once. */
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
