/** Owns the load of a bench: many connections that each send the next request when the last one is answered, and what it cost. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { processorTime } from './program.ts';

export interface Call {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  /** A form. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** What one connection sends: the next call, made from the reply to its last one; `undefined` ends it. */
export type Conversation = (last: Reply | undefined) => Call | undefined;

export interface Cost {
  readonly requests: number;
  readonly perSecond: number;
  /** Microseconds of the server's processor for one request. */
  readonly cpu: number;
  /** Those of them outside of the kernel, where much depends on whether the reader of an answer has to be woken up. */
  readonly user: number;
}

export const CONNECTIONS = 50;

/** Starts the measurement of a process. */
function meter(pid: number): (requests: number) => Cost {
  const before = processorTime(pid);
  const start = performance.now();
  return (requests) => {
    const perSecond = (requests / (performance.now() - start)) * 1000;
    const { total, user } = processorTime(pid);
    const each = (seconds: number) => (seconds * 1e6) / requests;
    return { requests, perSecond, cpu: each(total - before.total), user: each(user - before.user) };
  };
}

/**
 * @param port of the server on this machine, whose process is `pid`
 * @param begin starts the conversation of one connection
 * @throws Error at the first answer that is no success
 */
export async function load(port: number, pid: number, begin: (connection: number) => Conversation): Promise<Cost> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const measured = meter(pid);
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const next = begin(connection);
      let count = 0;
      for (let call = next(undefined); call; count += 1) {
        const reply = await send(agent, port, call);
        if (reply.status >= 400) throw new Error(`${call.path} answered ${reply.status}: ${reply.text}`);
        call = next(reply);
      }
      return count;
    }),
  );
  agent.destroy();
  return measured(counts.reduce((sum, count) => sum + count, 0));
}

/** The same for a document. */
export const read = (port: number, pid: number, path: string, total: number): Promise<Cost> =>
  repeat(port, pid, `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`, total);

/**
 * The same for one message over and over: by bytes on the wire, as a client that parses costs more than the server that is
 * measured. All answers have the length of the first.
 */
export async function repeat(port: number, pid: number, message: string, total: number): Promise<Cost> {
  const length = await lengthOf(port, message);
  const measured = meter(pid);
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () => exchange(port, message, { length, count: total / CONNECTIONS })),
  );
  return measured(total);
}

function lengthOf(port: number, message: string): Promise<number> {
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
