/**
 * Owns when a call that says nothing is heard of: gateways cut off an answer that stays silent for 30 to 60 s, and only a
 * stream can say that the call still runs.
 */

/** Looks at a call for each sign of life on open streams; one timer looks at all of them. */
export const LOOKS = 3;

export class Silence {
  #looks = 0;

  /** @returns whether to give a sign of life: after two whole paces between looks, and so on */
  look(): boolean {
    this.#looks += 1;
    return this.#looks % LOOKS === 0;
  }
}
