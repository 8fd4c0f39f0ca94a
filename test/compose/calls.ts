/**
 * Owns connections that repeat one call as soon as it is answered, and what each call took. It compares bytes, since a
 * client that parses costs more than what it measures, on the same processors.
 */
import { connect, type Socket } from 'node:net';
import tls from 'node:tls';

interface Load {
  /** `https:` for TLS; any certificate is accepted. */
  readonly origin: string;
  /** A request as raw text. */
  readonly message: string;
  readonly connections: number;
  readonly milliseconds: number;
}

const LAST = Buffer.from('\r\n\r\n');

/** @returns the milliseconds that each call took */
export async function calls({ origin, message, connections, milliseconds }: Load): Promise<readonly number[]> {
  const until = performance.now() + milliseconds;
  const bytes = Buffer.from(message, 'latin1');
  const all = Array.from({ length: connections }, () => converse(origin, bytes, until));
  return (await Promise.all(all)).flat();
}

function open(origin: string): { readonly socket: Socket; readonly opened: 'connect' | 'secureConnect' } {
  const { protocol, hostname: host, port } = new URL(origin);
  if (protocol === 'http:') return { socket: connect({ host, port: Number(port), noDelay: true }), opened: 'connect' };
  const options = { host, port: Number(port), servername: 'localhost', rejectUnauthorized: false };
  return { socket: tls.connect(options).setNoDelay(), opened: 'secureConnect' };
}

function converse(origin: string, message: Buffer, until: number): Promise<readonly number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
  const { socket, opened } = open(origin);
  const taken: number[] = [];
  let first = Buffer.alloc(0);
  let length = 0;
  let received = 0;
  let began = 0;
  const send = () => {
    began = performance.now();
    socket.write(message);
  };
  socket.once(opened, send).on('error', reject);
  // After the last answer this changes nothing.
  socket.once('close', () => reject(new Error(`${origin} closed a connection after ${taken.length} answers`)));
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (length === 0) {
      first = Buffer.concat([first, chunk]);
      length = lengthOf(first);
    }
    if (length === 0 || received < length) return;
    // All answers have the same length: an error has another one.
    const isFirst = taken.length === 0;
    const isGood = received === length && (isFirst ? /^HTTP\/1\.1 200 .*"result"/s.test(first.toString()) : true);
    if (!isGood) return void socket.destroy(new Error(`${first} and then ${chunk}`));
    received = 0;
    const now = performance.now();
    taken.push(now - began);
    if (now < until) return send();
    socket.destroy();
    resolve(taken);
  });
  return promise;
}

/** Bytes of an answer; 0: its head is not complete. */
function lengthOf(start: Buffer): number {
  const head = start.indexOf(LAST);
  if (head < 0) return 0;
  const [, body] = /content-length: (\d+)/i.exec(start.toString('latin1', 0, head)) ?? [];
  if (body === undefined) throw new Error(`an answer without a length: ${start}`);
  return head + LAST.length + Number(body);
}
