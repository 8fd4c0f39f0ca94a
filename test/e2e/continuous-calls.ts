/**
 * Owns continuous load on both servers in a test: clients that refresh and call without a pause, with new tokens and
 * with tokens that expire soon.
 */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { McpSession, OAuthClient, type Tokens } from '../support/oauth-client.ts';
import type { Stack } from '../support/stack.ts';

interface Held {
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** Seconds before the expiry of a token, so that the call is answered while the token is valid. */
const MARGIN = 2;

export class ContinuousCalls {
  /** Descriptions of the answers other than 200. */
  readonly failures: string[] = [];
  /** How many tokens each key has signed. */
  readonly signedBy = new Map<string, number>();
  calls = 0;
  refreshes = 0;
  /** Calls with a token of a key that no longer signs. */
  callsWithOldKey = 0;
  #running = true;
  #workers: Promise<void>[] = [];
  #newestKey = '';

  static async start(stack: Stack, clients: number): Promise<ContinuousCalls> {
    const work = new ContinuousCalls();
    const started = Array.from({ length: clients }, async () => {
      const client = await OAuthClient.register(stack);
      const tokens = await client.tokens();
      const session = await McpSession.open(`${stack.mcpUrl}/mcp`, tokens.access_token);
      return () => work.#run(client, session, tokens);
    });
    work.#workers = (await Promise.all(started)).map((run) => run());
    return work;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
  }

  async #run(client: OAuthClient, session: McpSession, first: Tokens): Promise<void> {
    let refreshToken = first.refresh_token;
    const held: Held[] = [this.#hold(first.access_token)];
    while (this.#running) {
      const { status, json, text } = await client.refresh(refreshToken);
      if (status !== 200) {
        this.failures.push(`refresh ${status} ${text}`);
        return;
      }
      this.refreshes += 1;
      refreshToken = String(json.refresh_token);
      const newest = this.#hold(String(json.access_token));
      held.push(newest);
      const now = Date.now() / 1000;
      while (held[0] && held[0].expiresAt - MARGIN <= now) held.shift();
      for (const one of new Set([newest, held[0] ?? newest])) await this.#call(session, one);
    }
  }

  #hold(token: string): Held {
    const { kid = '' } = decodeProtectedHeader(token);
    this.signedBy.set(kid, (this.signedBy.get(kid) ?? 0) + 1);
    this.#newestKey = kid;
    return { token, expiresAt: decodeJwt(token).exp ?? 0 };
  }

  async #call(session: McpSession, { token, expiresAt }: Held): Promise<void> {
    const { kid = '' } = decodeProtectedHeader(token);
    const answer = await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { authorization: `Bearer ${token}` });
    this.calls += 1;
    if (kid !== this.#newestKey) this.callsWithOldKey += 1;
    // When the machine stopped for longer than the margin, the refusal is not caused by the key.
    if (answer.status !== 200 && Date.now() / 1000 < expiresAt)
      this.failures.push(`call ${answer.status} of ${kid}: ${answer.headers.get('www-authenticate')}`);
  }
}
