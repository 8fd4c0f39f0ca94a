/** Owns mcp-server alone in a test, as a real process: it accepts the tokens of an issuer that is not auth-server. */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { ClientState } from './client-state.ts';
import type { Driver } from './drivers.ts';
import { type Answer, initialize, McpSession, postJson } from './oauth-client.ts';
import { Run } from './stack.ts';

type Settings = Readonly<Record<string, string>>;
type Line = Readonly<Record<string, unknown>>;

export class ResourceServer implements AsyncDisposable {
  readonly url: string;
  readonly #run: Run;

  private constructor(port: number, settings: Settings) {
    this.url = `http://localhost:${port}`;
    this.#run = new Run({ PUBLIC_URL: this.url, PORT: String(port), ...settings }, 'mcp-server/src/main.ts');
  }

  /** @param settings besides PUBLIC_URL, and its port if the issuer has to know it before */
  static async start(settings: Settings, port?: number): Promise<ResourceServer> {
    const [free = 0] = port === undefined ? await freePorts(1) : [port];
    const server = new ResourceServer(free, settings);
    await server.#run.says('"msg":"ready"');
    return server;
  }

  /** Everything that the process has printed. */
  get output(): string {
    return this.#run.output;
  }

  /** A client that has no tokens is led to the sign-in, and comes back with the answer. @returns what `whoami` says */
  async signedIn(driver: Driver, state: ClientState, signIn: (url: URL) => Promise<URL>): Promise<unknown> {
    const url = new URL(this.url + driver.path);
    await driver.connect(url, state).then(
      () => Promise.reject(new Error('connected without a sign-in')),
      (error) => (driver.isUnauthorized(error) ? undefined : Promise.reject(error)),
    );
    await driver.finish(url, state, await signIn(state.takeAuthorizationUrl()));
    const client = await driver.connect(url, state);
    const { structured } = await client.call('whoami', {});
    await client.close();
    return structured;
  }

  /** Calls `whoami` with a token that did not come from a sign-in. */
  async whoami(token: string): Promise<unknown> {
    const session = await McpSession.open(`${this.url}/mcp`, token);
    const { text } = await session.call('whoami', {});
    const [data = text] = text.match(/(?<=^data: ).+$/m) ?? [];
    return JSON.parse(data).result.structuredContent;
  }

  /** Sends a token that must be refused. @returns the answer, and the line of the log that says why */
  async refusal(token: string): Promise<{ readonly answer: Answer; readonly line: Line }> {
    const answer = await postJson(`${this.url}/mcp`, initialize(), { authorization: `Bearer ${token}` });
    const id = `"request":"${answer.headers.get('x-request-id')}"`;
    await this.#run.says(id);
    const text = this.#run.output.split('\n').find((one) => one.includes(id)) ?? '{}';
    return { answer, line: JSON.parse(text) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.stop();
  }
}
