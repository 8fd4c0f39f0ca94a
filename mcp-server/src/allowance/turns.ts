/**
 * Owns the number of requests that continue in one turn of the event loop after they have waited for the store.
 * Redis answers many requests at once. Each may then create an answer of megabytes, and none of them could be sent
 * or refused before the last one exists. Owns, too, when a call that sends many messages lets other requests continue.
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

/** Messages of one call that are sent before other requests get a turn, and their characters. */
const MESSAGES = 16;
const CHARACTERS = 16_384;

/** Lets other requests continue after so many messages of one call; a call with fewer does not wait. */
export class Stride {
  readonly #turns: Turns;
  #messages = 0;
  #characters = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Absent: the call continues immediately. */
  wait(characters: number): Promise<void> | undefined {
    this.#messages += 1;
    this.#characters += characters;
    if (this.#messages < MESSAGES && this.#characters < CHARACTERS) return undefined;
    this.#messages = 0;
    this.#characters = 0;
    return this.#turns.wait();
  }
}
