/**
 * Owns a person who has signed in once and has an open session: whether both still work, and how long a recovery takes.
 */
import { setTimeout } from 'node:timers/promises';
import { McpSession, OAuthClient, type Tokens } from '../../support/oauth-client.ts';
import type { Stack } from '../../support/stack.ts';

/** Consecutive successes: in a Cluster, chance decides which node has a record. */
const ROUNDS = 10;

/** Milliseconds between two attempts, and until the test gives up. */
const PAUSE = 200;
const PATIENCE = 60_000;

export class Visitor {
  readonly #client: OAuthClient;
  readonly #session: McpSession;
  #tokens: Tokens;

  private constructor(client: OAuthClient, session: McpSession, tokens: Tokens) {
    this.#client = client;
    this.#session = session;
    this.#tokens = tokens;
  }

  /** @param url the public origin */
  static async arrive(url: string): Promise<Visitor> {
    const client = await OAuthClient.register({ authUrl: url, mcpUrl: url } as Stack);
    const tokens = await client.tokens();
    return new Visitor(client, await McpSession.open(`${url}/mcp`, tokens.access_token), tokens);
  }

  /** A call in the session, a refresh, and a session that is opened and ended: everything that reads and writes. */
  async works(): Promise<boolean> {
    const call = await this.#session.call('sum', { a: 1, b: 2 });
    const refresh = await this.#client.refresh(this.#tokens.refresh_token);
    for (const { status, text } of [call, refresh]) {
      if (status >= 400 && status < 500) throw new Error(`would have to begin anew: ${status} ${text}`);
    }
    if (refresh.status !== 200) return false;
    this.#tokens = refresh.json as unknown as Tokens;
    const another = await McpSession.open(this.#session.url, this.#tokens.access_token).catch(() => undefined);
    return another !== undefined && call.status === 200;
  }

  /** Seconds until everything works. A request without an answer, or with a 5xx, is retried; a 4xx is a failure. */
  async untilServed(): Promise<number> {
    const began = performance.now();
    let back = 0;
    for (let rounds = 0; rounds < ROUNDS; ) {
      const served = await this.works().catch((error: unknown) => {
        if (error instanceof TypeError) return false;
        throw error;
      });
      const waited = performance.now() - began;
      if (served) {
        if (rounds === 0) back = waited;
        rounds += 1;
        continue;
      }
      rounds = 0;
      await setTimeout(PAUSE);
      if (waited > PATIENCE) throw new Error(`not served after ${PATIENCE / 1000} s`);
    }
    return back / 1000;
  }
}
