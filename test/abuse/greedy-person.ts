/**
 * Owns a person with a valid token who tries to exhaust mcp-server: the requests, and the answers that are never read.
 */
import { setTimeout } from 'node:timers/promises';
import { call, initialize, request } from '../../mcp-server/test/support/protocol-harness.ts';
import { headersOf, request as modern } from '../../mcp-server/test/support/stateless-harness.ts';
import { ask, askGreedily, begin, times } from './ask.ts';
import { Unread } from './unread.ts';

const list = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n + 1));

const MEGABYTE = 1_000_000;
const BOTH = 'application/json, text/event-stream';

/** Milliseconds during which unread answers accumulate. */
const A_WHILE = 1_500;

export class GreedyPerson {
  readonly #url: string;
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#port = Number(new URL(url).port);
    this.#headers = { authorization: `Bearer ${token}`, accept: BOTH };
  }

  /** Every attack by its name; each returns the statuses of its answers. */
  readonly moves: Readonly<Record<string, () => Promise<readonly number[]>>> = {
    'batches of 18,000 messages': async () => {
      const session = await this.#open('2025-03-26');
      const batch = JSON.stringify(list(18_000, (n) => ({ jsonrpc: '2.0', id: n, method: 'ping' })));
      return times(20, () => this.#post(session, batch));
    },
    'batches of 1,000 messages': async () => {
      const session = await this.#open('2025-03-26');
      const batch = JSON.stringify(list(1_000, (n) => ({ jsonrpc: '2.0', id: n, method: 'ping' })));
      return times(20, () => this.#post(session, batch));
    },
    'a million values in one message': async () => {
      const session = await this.#open('2025-11-25');
      const text = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[${'{},'.repeat(300_000)}{}]}}`;
      return times(20, () => this.#post(session, text));
    },
    'batches of 100 countdowns of five minutes': async () => {
      const slow = { from: 60, interval_ms: 5_000 };
      const batch = list(100, (n) => call(n, 'countdown', slow, { _meta: { progressToken: n } }));
      return this.#unread(async (unread) => {
        const sessions = await times(40, () => this.#open('2025-03-26'));
        await Promise.all(sessions.map((session) => unread.send(this.#in(session), JSON.stringify(batch))));
        await setTimeout(A_WHILE);
        await Promise.all(sessions.map((session) => this.#ask('DELETE', session)));
      });
    },
    'unread answers of 4 MB': async () =>
      this.#unread(async (unread) => {
        const session = await this.#open('2025-11-25');
        const text = (how: string) => (n: number) => call(n, 'flood', { characters: 4 * MEGABYTE, how });
        const messages = [...list(80, text('at once')), ...list(80, (n) => text('later')(n + 100))];
        await Promise.all(messages.map((message) => unread.send(this.#in(session), JSON.stringify(message))));
        await times(80, () =>
          this.#modern(unread, 'tools/call', { name: 'flood', arguments: { characters: 4 * MEGABYTE } }),
        );
        await setTimeout(A_WHILE);
      }),
    'unread batches of 100 answers of 1 MB': async () =>
      this.#unread(async (unread) => {
        const batch = (how: string) =>
          JSON.stringify(list(100, (n) => call(n, 'flood', { characters: MEGABYTE, how })));
        const sessions = await times(9, () => this.#open('2025-03-26'));
        const hows = ['at once', 'later', 'as a stream'];
        await Promise.all(sessions.map((session, n) => unread.send(this.#in(session), batch(hows[n % 3] ?? ''))));
        await setTimeout(A_WHILE);
      }),
    'bodies that do not end': async () =>
      this.#unread(async (unread) => {
        const part = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${'x'.repeat(900_000)}`;
        await times(400, () => unread.send(this.#headers, part, '/mcp', MEGABYTE));
        await setTimeout(A_WHILE);
      }),
    'sessions with long introductions': async () => {
      const { params, ...rest } = initialize('2025-11-25') as { params: object };
      const text = JSON.stringify({
        ...rest,
        params: { ...params, clientInfo: { name: 'x'.repeat(60_000), version: '1' } },
      });
      return times(120, () => this.#post(undefined, text));
    },
    'subscriptions with long names': async () =>
      this.#unread(async (unread) => {
        const resourceSubscriptions = list(90, (n) => `test://${n}/${'x'.repeat(700)}`);
        await times(300, () =>
          this.#modern(unread, 'subscriptions/listen', { notifications: { resourceSubscriptions } }),
        );
        const session = await this.#open('2025-11-25');
        await times(100, (n) =>
          this.#post(
            session,
            JSON.stringify(request(n, 'resources/subscribe', { uri: `test://${'x'.repeat(2_000)}${n}` })),
          ),
        );
        await setTimeout(A_WHILE);
      }),
    'streams that are read to their end': async () => {
      const session = await this.#open('2025-11-25');
      const statuses: number[] = [];
      // As through a proxy, whose connections do not show who reads.
      for (let n = 1; n <= 200; n += 1) {
        const message = call(n, 'flood', { characters: MEGABYTE, how: 'as a stream' });
        statuses.push(await this.#post(session, JSON.stringify(message), { 'x-forwarded-for': '192.0.2.1' }));
      }
      return statuses;
    },
    'unread streams': async () =>
      this.#unread(async (unread) => {
        const sessions = await times(20, () => this.#open('2025-11-25'));
        const message = (n: number) => JSON.stringify(call(n, 'flood', { characters: MEGABYTE, how: 'as a stream' }));
        await Promise.all(sessions.flatMap((session) => list(10, (n) => unread.send(this.#in(session), message(n)))));
        await setTimeout(A_WHILE);
      }),
    'answers over HTTP+SSE without an open stream': async () => {
      const paths = await times(20, () => this.#openSse());
      const message = (n: number) => JSON.stringify(call(n, 'flood', { characters: MEGABYTE, how: 'later' }));
      return (
        await Promise.all(paths.map((path) => times(20, (n) => this.#post(undefined, message(n), {}, path))))
      ).flat();
    },
  };

  async #unread(work: (unread: Unread) => Promise<void>): Promise<readonly number[]> {
    const unread = new Unread(this.#port);
    await work(unread);
    unread.leave();
    return [];
  }

  #in(session: string | undefined): Readonly<Record<string, string>> {
    return { ...this.#headers, ...(session && { 'mcp-session-id': session }) };
  }

  async #ask(method: string, session: string): Promise<void> {
    await ask(`${this.#url}/mcp`, { method, headers: this.#in(session) });
  }

  async #post(session: string | undefined, body: string, more = {}, path = '/mcp'): Promise<number> {
    const headers = { ...this.#in(session), 'content-type': 'application/json', ...more };
    return (await askGreedily(this.#url + path, { method: 'POST', headers, body })).status;
  }

  async #modern(unread: Unread, method: string, params: object): Promise<void> {
    const message = modern(method, params);
    await unread.send({ ...this.#headers, ...headersOf(message) }, JSON.stringify(message));
  }

  async #open(revision: string): Promise<string> {
    const headers = { ...this.#headers, 'content-type': 'application/json' };
    const opened = await ask(`${this.#url}/mcp`, {
      method: 'POST',
      headers,
      body: JSON.stringify(initialize(revision)),
    });
    return String(opened.headers['mcp-session-id'] ?? '');
  }

  /** @returns the URL to post to for a session whose stream was closed */
  async #openSse(): Promise<string> {
    const stream = await begin(`${this.#url}/sse`, { headers: this.#headers });
    const parts = stream.setEncoding('utf8')[Symbol.asyncIterator]();
    let text = '';
    const until = async (words: string) => {
      while (!text.includes(words)) text += (await parts.next()).value ?? '';
    };
    await until('sessionId=');
    const [, path = ''] = /data: (\S+)/.exec(text) ?? [];
    await this.#post(undefined, JSON.stringify(initialize('2024-11-05')), {}, path);
    await until('"id":"init"');
    stream.destroy();
    return path;
  }
}
