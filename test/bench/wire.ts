/**
 * Owns load in raw bytes: connections that write their next request when the last answer is complete. A client that
 * parses more than it must would cost more than the measured server.
 */
import { connect, type Socket } from 'node:net';
import { cpuSeconds } from './program.ts';

export interface Cost {
  readonly requests: number;
  readonly perSecond: number;
  /** Microseconds of the server's processor for each request. */
  readonly cpu: number;
}

export interface Post {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request as raw text. */
export function post({ path, headers, body }: Post): string {
  const fields = { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Returns the next request of one connection; `undefined` ends it. */
export type Speaker = () => string | undefined;

export interface Pressure {
  readonly port: number;
  readonly pid: number;
  readonly speakers: readonly Speaker[];
}

/** @throws Error at the first answer that is not a success */
export async function press({ port, pid, speakers }: Pressure): Promise<Cost> {
  const cpu = cpuSeconds(pid);
  const start = performance.now();
  const counts = await Promise.all(speakers.map((speaker) => converse(port, speaker)));
  const seconds = (performance.now() - start) / 1000;
  const requests = counts.reduce((sum, count) => sum + count, 0);
  return { requests, perSecond: requests / seconds, cpu: ((cpuSeconds(pid) - cpu) * 1e6) / requests };
}

/** @returns the number of answered requests */
function converse(port: number, next: Speaker): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let answered = 0;
    const speak = (): void => {
      const request = next();
      if (request !== undefined) return void socket.write(request);
      socket.destroy();
      resolve(answered);
    };
    abortOnFailure(socket, reject, () => received);
    socket.once('connect', speak);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!isComplete(received)) return;
      if (!received.startsWith('HTTP/1.1 2')) return void socket.destroy(new Error(received));
      received = '';
      answered += 1;
      speak();
    });
  });
}

const PATIENCE = 20_000;

function abortOnFailure(socket: Socket, reject: (error: Error) => void, received: () => string): void {
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no end of the answer: ${received()}`)));
  socket.once('error', reject);
  socket.once('end', () => reject(new Error(`the server closed the connection after: ${received()}`)));
}

/** Finds the end by Content-Length, or by the last chunk (RFC 9112 §6). */
function isComplete(response: string): boolean {
  const head = response.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(response.slice(0, head + 2)) ?? [];
  if (length !== undefined) return response.length - head - 4 >= Number(length);
  return /^HTTP\/1\.1 (?:202|204)/.test(response) || response.endsWith('\r\n0\r\n\r\n');
}

/** A connection that repeats the text of `request` until the time is over. */
export function until(end: number, request: () => string): Speaker {
  return () => (performance.now() < end ? request() : undefined);
}
