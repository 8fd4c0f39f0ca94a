import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Listening, listen } from '@mcp-oauth/shared/http/server';
import { describe, expect, it } from 'vitest';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Milliseconds; as long as the whole test may take. */
const EVER = 2 ** 31 - 1;

/** A connection as a gateway keeps it: a request that is written while the connection breaks is lost. */
class Kept {
  readonly #socket: Socket;
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = once(socket, 'close');
    socket.on('error', () => {});
  }

  static async open({ port }: Listening): Promise<Kept> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Kept(socket);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** The answer so far, read until it ends with `end`. */
  async answer(end = 'hello'): Promise<string> {
    let text = '';
    for await (const [chunk] of events(this.#socket)) {
      text += chunk;
      if (text.endsWith(end)) return text;
    }
    return `lost: ${text}`;
  }

  ask(): Promise<string> {
    this.write(REQUEST);
    return this.answer();
  }
}

/** Reads chunks until the end. */
async function* events(socket: Socket): AsyncGenerator<[Buffer]> {
  const ended = new AbortController();
  socket.once('close', () => ended.abort());
  for (;;) {
    try {
      yield (await once(socket, 'data', { signal: ended.signal })) as [Buffer];
    } catch {
      return;
    }
  }
}

const hello = (): Promise<Listening> => listen((_, res) => res.end('hello'), { host: '127.0.0.1', port: 0 });

describe('RFC 9112 §9.6 a server that stops', () => {
  it('a stopping server loses no request on a kept connection, and answers with Connection: close', async () => {
    for (let round = 0; round < 20; round += 1) {
      const listening = await hello();
      const kept = await Promise.all(Array.from({ length: 20 }, () => Kept.open(listening)));
      const askedOnce = await Promise.all(kept.map((connection) => connection.ask()));
      for (const answer of askedOnce) expect(answer).toContain('Connection: keep-alive');
      const asking = kept.map(async (connection) => {
        let answer = '';
        do {
          answer = await connection.ask();
          expect(answer).toMatch(/^HTTP\/1\.1 200 .*hello$/s);
        } while (!answer.includes('Connection: close'));
      });
      const closed = listening.close({ grace: EVER, linger: 10_000 });
      await Promise.all(asking);
      // Once every client knows of the stop, the server waits for nothing more.
      await closed;
    }
  });

  it('a request that already runs is answered with Connection: close, whoever writes its head', async () => {
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const listening = await listen(
      async (req, res) => {
        if (req.url === '/by-hand') res.writeHead(200, 'Fine', { 'Content-Length': 5 });
        if (req.url === '/by-hand') arrived.resolve();
        await finish.promise;
        res.end('hello');
      },
      { host: '127.0.0.1', port: 0 },
    );
    const [running, begun] = [await Kept.open(listening), await Kept.open(listening)];
    running.write(REQUEST);
    begun.write(REQUEST.replace('/ ', '/by-hand '));
    await arrived.promise;
    const closed = listening.close({ grace: EVER });
    finish.resolve();
    expect(await running.answer()).toContain('Connection: close');
    // It is too late to announce the close in this answer: the connection is closed once it has been idle.
    expect(await begun.answer()).toContain('Connection: keep-alive');
    await closed;
  });

  it('a lingering server still answers on kept connections, after one without linger has closed them', async () => {
    const [lingering, other] = [await hello(), await hello()];
    const [kept, left] = [await Kept.open(lingering), await Kept.open(other)];
    await Promise.all([kept.ask(), left.ask()]);
    const closed = lingering.close({ grace: EVER, linger: EVER });
    await Promise.all([other.close({ grace: EVER }), left.closed]);
    expect(await kept.ask()).toContain('Connection: close');
    await closed;
  });

  it('a lingering connection is closed after its time, counted from its last request', async () => {
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const listening = await listen(
      async (_, res) => {
        res.writeHead(200, { 'Content-Length': 5 }).flushHeaders();
        begun.resolve();
        await finish.promise;
        res.end('hello');
      },
      { host: '127.0.0.1', port: 0 },
    );
    const [idle, streaming] = [await Kept.open(listening), await Kept.open(listening)];
    streaming.write(REQUEST);
    await begun.promise;
    const closed = listening.close({ grace: EVER, linger: 2_000 });
    // The idle connection is closed, the other one stays.
    await idle.closed;
    finish.resolve();
    expect(await streaming.answer()).toContain('hello');
    // Its head has promised keep-alive, so the connection stays open for the next request on it.
    expect(await streaming.ask()).toContain('Connection: close');
    await Promise.all([closed, streaming.closed]);
  });

  it('a stopping server waits for the rest of a request that has begun to arrive', async () => {
    const listening = await hello();
    const connection = await Kept.open(listening);
    connection.write(REQUEST.slice(0, 20));
    const closed = listening.close({ grace: EVER, linger: EVER });
    connection.write(REQUEST.slice(20));
    expect(await connection.answer()).toContain('Connection: close');
    await closed;
  });

  it('a stopping server serves connections made before the stop, and refuses later ones', async () => {
    for (let round = 0; round < 20; round += 1) {
      const listening = await hello();
      const before = Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${listening.port}`));
      // The kernel has accepted the connections; the server may not have seen all of them yet.
      await new Promise(setImmediate);
      const closed = listening.close({ grace: EVER, linger: 1_000 });
      for (const answer of await Promise.all(before)) expect(await answer.text()).toBe('hello');
      await listening.refuse();
      await expect(fetch(`http://127.0.0.1:${listening.port}`)).rejects.toThrow();
      await closed;
    }
  });
});
