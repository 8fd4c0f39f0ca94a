/**
 * Owns the load of a bench: many connections, each of which sends its next request after the last answer, and the cost.
 */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { cpuSeconds, userSeconds } from './program.ts';
import { type Listener, percentiles } from './wire.ts';

export interface Call {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  /** A form body. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** The requests of one connection: the next call, made from the last answer; `undefined` ends it. */
export type Conversation = (last: Reply | undefined) => Call | undefined;

export interface Cost {
  readonly requests: number;
  readonly perSecond: number;
  /** Microseconds of the server's processor for each request. */
  readonly cpu: number;
  /**
   * The part of them outside the kernel, where the cost depends on whether the reader of an answer must be woken up.
   */
  readonly user: number;
}

export interface TimedCost extends Cost {
  /** Milliseconds from the request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
}

export const CONNECTIONS = 50;

/** Starts the measurement of processes. */
function meter(...pids: readonly number[]): (requests: number) => Cost {
  const inAll = (seconds: (pid: number) => number) => pids.reduce((sum, pid) => sum + seconds(pid), 0);
  const inUser = inAll(userSeconds);
  const spent = inAll(cpuSeconds);
  const start = performance.now();
  return (requests) => {
    const perSecond = (requests / (performance.now() - start)) * 1000;
    const each = (seconds: number) => (seconds * 1e6) / requests;
    return { requests, perSecond, cpu: each(inAll(cpuSeconds) - spent), user: each(inAll(userSeconds) - inUser) };
  };
}

/**
 * @param port of the server on this machine, whose process is `pid`
 * @param begin starts the requests of one connection
 * @throws Error at the first answer that is not a success
 */
export const load = (port: number, pid: number, begin: (connection: number) => Conversation): Promise<TimedCost> =>
  loadAll([{ port, pid }], begin);

/** The same for several servers, over which the connections are spread. */
export async function loadAll(
  servers: readonly Listener[],
  begin: (connection: number) => Conversation,
): Promise<TimedCost> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const measured = meter(...servers.map(({ pid }) => pid));
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const next = begin(connection);
      const port = servers[connection % servers.length]?.port ?? 0;
      for (let call = next(undefined); call; ) {
        const sent = performance.now();
        const reply = await send(agent, port, call);
        times.push(performance.now() - sent);
        if (reply.status >= 400) throw new Error(`${call.path} answered ${reply.status}: ${reply.text}`);
        call = next(reply);
      }
    }),
  );
  agent.destroy();
  return { ...measured(times.length), ...percentiles(times) };
}

/** The same for a document. */
export const read = (port: number, pid: number, path: string, total: number): Promise<Cost> =>
  repeat(port, pid, `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`, total);

/**
 * The same for one repeated message, read as bytes: a client that parses would cost more than the measured server. All
 * answers have the length of the first.
 */
export async function repeat(port: number, pid: number, message: string, total: number): Promise<Cost> {
  const length = await lengthOf(port, message);
  const measured = meter(pid);
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () => exchange(port, message, { length, count: total / CONNECTIONS })),
  );
  return measured(total);
}

/** Length of the whole answer to one message. */
export function lengthOf(port: number, message: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(message));
    let text = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const [head = ''] = /^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n/.exec(text) ?? [];
      const length = head.length + Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (!(text.length >= length)) return;
      socket.destroy();
      resolve(length);
    });
  });
}

function exchange(port: number, message: string, { length, count }: { length: number; count: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(message));
    let received = 0;
    let answered = 0;
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received < length) return;
      received -= length;
      answered += 1;
      if (answered < count) return void socket.write(message);
      socket.destroy();
      resolve();
    });
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function send(agent: Agent, port: number, { path, method = 'GET', body, headers }: Call): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { ...FORM, 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ agent, port, path, method, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
