/** Owns the composed server in tests with issuers that we did not write: settings, a token, and what the server says to it. */
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { scrape } from '@mcp-oauth/shared/testing/scrape';
import { compose, type Overrides } from '../../src/compose/compose.ts';
import { post } from './http-harness.ts';
import { type SigningKey, signingKey, startIssuer, type TestIssuer } from './issuer.ts';
import { headersOf, request } from './stateless-harness.ts';

/** An issuer with one key. */
export interface Foreign {
  readonly issuer: TestIssuer;
  readonly key: SigningKey;
}

export async function startForeign(path = '', algorithm = 'RS256', kid = 'key-1'): Promise<Foreign> {
  const [issuer, key] = await Promise.all([startIssuer(path), signingKey(kid, algorithm)]);
  issuer.keys.push(key.publicJwk);
  return { issuer, key };
}

/** What the tool `whoami` says, or why the token is refused. */
type Said =
  | { readonly subject: string; readonly client?: string; readonly scopes: readonly string[]; readonly issuer: string }
  | { readonly status: number; readonly reason: unknown; readonly claim?: unknown; readonly setting?: unknown };

export interface ForeignServer extends AsyncDisposable {
  readonly url: string;
  readonly clock: FakeClock;
  readonly log: string[];
  whoami(token: string): Promise<Said>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  scrape(): ReturnType<typeof scrape>;
  /** Resolves when a gateway may send requests. */
  prepare(): Promise<void>;
}

/** @param settings besides PUBLIC_URL */
export async function startServer(settings: Environment, overrides: Overrides = {}): Promise<ForeignServer> {
  let handler: RequestListener = () => {};
  const server = await serve((req, res) => handler(req, res));
  const [clock, log] = [new FakeClock(), [] as string[]];
  const logger = createLogger('test', 'info', { write: (line: string) => void log.push(line) });
  const env = { PUBLIC_URL: server.url, NODE_ENV: 'test', METRICS_PORT: '0', ...settings };
  const service = await compose(env, { clock, log: logger, ...overrides });
  handler = service.handler;
  return {
    url: server.url,
    clock,
    log,
    whoami: async (token) => {
      log.length = 0;
      const message = request('tools/call', { name: 'whoami', arguments: {} });
      const response = await fetch(`${server.url}/mcp`, post(token, message, headersOf(message)));
      const body = (await response.json()) as { result?: { structuredContent: Said } };
      if (body.result) return body.result.structuredContent;
      const line =
        log
          .map((text) => JSON.parse(text))
          .find(({ msg, reason }) => reason !== undefined && msg.startsWith('request')) ?? {};
      // The log names the subject of a refused token too, so that an expected `{ subject }` would fit both.
      const { subject: _, ...why } = line;
      return { status: response.status, ...why };
    },
    fetch: (path, init) => fetch(server.url + path, { redirect: 'manual', ...init }),
    scrape: () => scrape(service.metrics),
    prepare: async () => service.prepare?.(),
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await server.close();
      await service.close();
    },
  };
}
