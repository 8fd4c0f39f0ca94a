/** Owns a name server in a test (RFC 1035 §4): real UDP on loopback, with the answers that the test sets. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6, SocketAddress } from 'node:net';

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA' };

interface Question {
  readonly name: string;
  readonly type: string;
  /** Number of questions so far, with this one. */
  readonly questions: number;
}

/** Addresses of either family; `undefined` sends no answer. */
type Answer = (question: Question) => readonly string[] | undefined;

export class NameServer implements AsyncDisposable {
  readonly questions: string[] = [];
  readonly #socket: Socket = createSocket('udp4');

  static async start(answer: Answer): Promise<NameServer> {
    const server = new NameServer();
    server.#socket.on('message', (query, { port, address }) => {
      const reply = server.#reply(query, answer);
      if (reply) server.#socket.send(reply, port, address);
    });
    await new Promise<void>((resolve) => server.#socket.bind(0, '127.0.0.1', resolve));
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  #reply(query: Buffer, answer: Answer): Buffer | undefined {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const end = at + 5;
    const type = TYPES[query.readUInt16BE(at + 1)] ?? 'other';
    const name = labels.join('.');
    this.questions.push(`${type} ${name}`);
    const addresses = answer({ name, type, questions: this.questions.length });
    if (!addresses) return undefined;
    const records = addresses.filter((address) => isIPv6(address) === (type === 'AAAA')).map(record);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    for (const [offset, count] of [1, records.length, 0, 0].entries()) header.writeUInt16BE(count, 4 + offset * 2);
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

/** A resource record for the name in the question, with a TTL of 0. */
function record(address: string): Buffer {
  const data = bytes(address);
  const head = Buffer.from([0xc0, 12, 0, data.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

function bytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, before = '', ...octets] = mapped ?? [];
  const pair = (high: number): string => Buffer.from(octets.slice(high, high + 2).map(Number)).toString('hex');
  const text = mapped ? `${before}${pair(0)}:${pair(2)}` : new SocketAddress({ address, family: 'ipv6' }).address;
  const [head = '', tail] = text.split('::').map((part) => part.split(':').filter(Boolean)) as [string[], string[]?];
  const zeros = Array<string>(8 - head.length - (tail?.length ?? 0)).fill('0');
  return Buffer.from([...head, ...zeros, ...(tail ?? [])].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
