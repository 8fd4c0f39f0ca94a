/**
 * Owns the pace of the keep-alives of a call that sends nothing. Gateways close a response that is silent for 30 to 60 s, and only
 * a stream can show that the call still runs.
 */

/** Checks of a call per keep-alive interval of open streams; one timer checks all calls. */
export const CHECKS = 3;

export class KeepAlivePace {
  #checks = 0;

  /** @returns whether to send a keep-alive: true on every third check, so a call that ends soon sends none */
  isDue(): boolean {
    this.#checks += 1;
    return this.#checks % CHECKS === 0;
  }
}
