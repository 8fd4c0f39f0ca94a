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
  /** Milliseconds from the request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
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

/** A process that answers. */
export interface Listener {
  readonly port: number;
  readonly pid: number;
}

export interface Pressure {
  /** The connections are spread over them. */
  readonly servers: readonly Listener[];
  readonly speakers: readonly Speaker[];
  /** Text that the answers contain; only the first of each connection is searched. */
  readonly expected?: string;
}

/** @throws Error at the first answer that is not a success */
export async function press({ servers, speakers, expected = '' }: Pressure): Promise<Cost> {
  const spent = () => servers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  const cpu = spent();
  const start = performance.now();
  const waited = await Promise.all(
    speakers.map((speaker, n) => converse(servers[n % servers.length]?.port ?? 0, speaker, expected)),
  );
  const seconds = (performance.now() - start) / 1000;
  const times = waited.flat();
  const requests = times.length;
  return { requests, perSecond: requests / seconds, cpu: ((spent() - cpu) * 1e6) / requests, ...percentiles(times) };
}

export function percentiles(times: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** @returns the milliseconds that each answer took */
function converse(port: number, next: Speaker, expected: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const times: number[] = [];
    let received = '';
    let sent = 0;
    const speak = (): void => {
      const request = next();
      sent = performance.now();
      if (request !== undefined) return void socket.write(request);
      socket.destroy();
      resolve(times);
    };
    abortOnFailure(socket, reject, () => received);
    socket.once('connect', speak);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!isComplete(received)) return;
      const isGood = received.startsWith('HTTP/1.1 2') && (times.length > 0 || received.includes(expected));
      if (!isGood) return void socket.destroy(new Error(received));
      received = '';
      times.push(performance.now() - sent);
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
export function isComplete(response: string): boolean {
  const head = response.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(response.slice(0, head + 2)) ?? [];
  if (length !== undefined) return response.length - head - 4 >= Number(length);
  return /^HTTP\/1\.1 (?:202|204)/.test(response) || response.endsWith('\r\n0\r\n\r\n');
}

/** A connection that repeats the text of `request` until the time is over. */
export function until(end: number, request: Speaker): Speaker {
  return () => (performance.now() < end ? request() : undefined);
}
