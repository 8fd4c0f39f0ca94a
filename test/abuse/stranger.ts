/**
 * Owns an unauthenticated caller with any number of addresses that tries to fill the store of auth-server and to use up
 * its processor.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Asked, ask, times } from './ask.ts';
import { Unread } from './unread.ts';

const REDIRECT_URI = 'https://app.example/callback';
const CHALLENGE = createHash('sha256').update('verifier').digest('base64url');
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const list = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n + 1));

/** Milliseconds for which unfinished connections stay open. */
const A_WHILE = 1_000;

export class Stranger {
  readonly #url: string;
  #address = 0;
  #clientId = '';

  constructor(url: string) {
    this.#url = url;
  }

  /** Every attack by its name; each returns the answers that it got. */
  readonly moves: Readonly<Record<string, () => Promise<readonly Asked[]>>> = {
    'registrations of 14 kB': () =>
      times(200, () => this.#register({ redirect_uris: list(7, (n) => `${REDIRECT_URI}/${n}/${'x'.repeat(1_900)}`) })),
    'registrations of 900 kB': () => times(20, () => this.#register({ client_name: 'x'.repeat(900_000) })),
    'registrations of 10,000 redirect URIs': () =>
      times(20, () => this.#register({ redirect_uris: list(10_000, (n) => `${REDIRECT_URI}/${n}`) })),
    'registrations nested 50,000 levels': () =>
      times(20, () =>
        this.#post('/register', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, { 'content-type': 'application/json' }),
      ),
    'pushed requests of 4 kB': async () => {
      await this.#known();
      return times(200, () => this.#form('/par', this.#request({ state: 'x'.repeat(4_000) })));
    },
    'pushed requests of 60 kB': () => times(50, () => this.#form('/par', this.#request({ state: 'x'.repeat(60_000) }))),
    'authorization requests of 8 kB': () =>
      times(200, () =>
        this.#get(
          `/authorize?${this.#request({ scope: 'openid mcp:tools', state: 'x'.repeat(4_000), nonce: 'x'.repeat(4_000) })}`,
        ),
      ),
    'authorization requests with many parameters': () =>
      times(50, () =>
        this.#get(`/authorize?${this.#request({})}&${Array.from({ length: 500 }, (_, n) => `p${n}=xxxx`).join('&')}`),
      ),
    'documents that are made up': () =>
      times(200, () =>
        this.#get(
          `/authorize?${this.#request({ client_id: `https://127.0.0.1:9/${'x'.repeat(500)}/${this.#address}` })}`,
        ),
      ),
    'tokens and assertions of 60 kB': () =>
      times(100, () =>
        this.#form(
          '/token',
          new URLSearchParams({
            grant_type: 'refresh_token',
            client_id: this.#clientId,
            refresh_token: 'x'.repeat(60_000),
          }),
        ),
      ),
    'forms of 900 kB': () =>
      times(20, () => this.#form('/token', new URLSearchParams({ grant_type: 'x'.repeat(900_000) }))),
    'bodies that do not end': async () => {
      const unread = new Unread(Number(new URL(this.#url).port));
      const part = 'x'.repeat(200_000);
      const paths = ['/register', '/token', '/par', '/interaction/x/approve'];
      await times(200, (n) => unread.send({ ...FORM, 'X-Forwarded-For': this.#next() }, part, paths[n % 4], 1_000_000));
      await setTimeout(A_WHILE);
      unread.leave();
      return [];
    },
  };

  /** A new address for each request: a limit per address does not bound such a caller. */
  #next(): string {
    this.#address += 1;
    return `10.${this.#address >> 16}.${(this.#address >> 8) & 255}.${this.#address & 255}`;
  }

  async #known(): Promise<void> {
    const { text } = await this.#register({});
    this.#clientId = String((JSON.parse(text) as { client_id?: unknown }).client_id);
  }

  #request(more: Readonly<Record<string, string>>): URLSearchParams {
    return new URLSearchParams({
      client_id: this.#clientId,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      scope: 'mcp:tools',
      ...more,
    });
  }

  #register(metadata: object): Promise<Asked> {
    const client = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none', ...metadata };
    return this.#post('/register', JSON.stringify(client), { 'content-type': 'application/json' });
  }

  #form(path: string, fields: URLSearchParams): Promise<Asked> {
    return this.#post(path, fields.toString(), FORM);
  }

  #post(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Asked> {
    return ask(this.#url + path, { method: 'POST', body, headers: { ...headers, 'x-forwarded-for': this.#next() } });
  }

  #get(path: string): Promise<Asked> {
    return ask(this.#url + path, { headers: { 'x-forwarded-for': this.#next() } });
  }
}
