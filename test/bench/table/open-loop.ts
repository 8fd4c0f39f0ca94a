/**
 * Owns load at a fixed rate: a request is due whether or not the last one was answered, and its time counts from then, so
 * that a server that falls behind is seen.
 */
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isComplete, percentiles, type Speaker } from '../wire.ts';

export interface Level {
  /** Requests in a second. */
  readonly rate: number;
  readonly seconds: number;
}

class Line {
  readonly #socket: Socket;
  readonly #next: Speaker;
  readonly #answered: (line: Line, due: number) => void;
  #due = 0;
  #received = '';
  constructor(port: number, next: Speaker, answered: (line: Line, due: number) => void) {
    this.#next = next;
    this.#answered = answered;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
  }
  send(due: number): void {
    this.#due = due;
    this.#socket.write(this.#next() ?? '');
  }
  #read(text: string): void {
    this.#received += text;
    if (!isComplete(this.#received)) return;
    if (!this.#received.startsWith('HTTP/1.1 2')) throw new Error(this.#received);
    this.#received = '';
    this.#answered(this, this.#due);
  }
  close(): void {
    this.#socket.destroy();
  }
}

/** @returns milliseconds from the moment at which a request was due to the end of its answer */
export async function atRate(port: number, speakers: readonly Speaker[], { rate, seconds }: Level) {
  const times: number[] = [];
  const free: Line[] = [];
  const lines = speakers.map(
    (speaker) =>
      new Line(port, speaker, (line, due) => {
        times.push(performance.now() - due);
        free.push(line);
      }),
  );
  free.push(...lines);
  const [start, total] = [performance.now(), Math.floor(rate * seconds)];
  for (let sent = 0; times.length < total; await setImmediate()) {
    for (let due = 0; sent < total; sent += 1) {
      due = start + (sent * 1000) / rate;
      const line = due <= performance.now() ? free.shift() : undefined;
      if (!line) break;
      line.send(due);
    }
  }
  const measured = { rate: (total * 1000) / (performance.now() - start), ...percentiles(times) };
  for (const line of lines) line.close();
  return measured;
}
