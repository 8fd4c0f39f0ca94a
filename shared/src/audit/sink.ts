/** Owns the port to where the entries go. A sink knows no key. */

export interface Sink {
  /**
   * Resolves when the sink has all lines, each with its line end.
   * @throws Error when it can't take them now; the same lines come again
   */
  write(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
