/**
 * Owns the JSON answer to a POST: one object, or the array of a batch, which may be sent in pieces (JSON-RPC 2.0
 * §6).
 */
import type { ServerResponse } from 'node:http';
import { answer, beginAnswer, JSON_ANSWER } from '@mcp-oauth/shared/http/answer';

export class JsonAnswer {
  readonly #res: ServerResponse;
  readonly #batch: boolean;
  /** JSON text of each answer that has not been sent. */
  #answers: string[] = [];
  #gathered = 0;
  /** Whether some answers of the batch have been sent. */
  #begun = false;

  constructor(res: ServerResponse, batch: boolean) {
    this.#res = res;
    this.#batch = batch;
  }

  /** Number of bytes that have not been sent. */
  get gathered(): number {
    return this.#gathered;
  }

  add(...answers: readonly string[]): void {
    this.#answers.push(...answers);
    for (const { length } of answers) this.#gathered += length;
  }

  /** Removes the answers that have not been sent, so that a stream can send them. */
  take(): readonly string[] {
    const answers = this.#answers;
    this.#answers = [];
    this.#gathered = 0;
    return answers;
  }

  /** For a batch: sends the answers so far; more will follow. */
  flush(): void {
    const { destroyed, headersSent } = this.#res;
    const text = `${this.#begun ? ',' : '['}${this.take()}`;
    if (destroyed || (headersSent && !this.#begun)) return;
    if (!this.#begun) beginAnswer(this.#res, 200, JSON_ANSWER);
    this.#begun = true;
    this.#res.write(text);
  }

  end(): void {
    const { destroyed } = this.#res;
    const answers = this.take();
    if (this.#begun) {
      if (!destroyed) this.#res.end(answers.length > 0 ? `,${answers}]` : ']');
    } else if (answers.length > 0) this.write(200, this.#batch ? `[${answers}]` : `${answers}`);
    else if (!this.#res.headersSent) beginAnswer(this.#res, 202, []).end();
  }

  write(status: number, body: string): void {
    if (this.#res.destroyed || this.#res.headersSent) return;
    answer(this.#res, status, JSON_ANSWER, body);
  }
}
