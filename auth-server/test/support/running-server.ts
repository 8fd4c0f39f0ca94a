/**
 * Owns a whole auth-server in a test: composed as in production, on a free port, with an upstream that accepts every
 * callback.
 */
import type { AuditEntry } from '@mcp-oauth/shared/audit/entry';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { type Scraped, scrape } from '@mcp-oauth/shared/testing/scrape';
import { compose } from '../../src/compose/compose.ts';
import type { OpenConnector, OpenTools } from '../../src/federation/registry.ts';
import type { GrantDirectory } from '../../src/revocation/grant-directory.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { acmeConnector, unreachable } from './acme-connector.ts';

export const ISSUER = 'http://localhost:9000';
export const MCP = 'http://localhost:8080/mcp';

export interface RunningServer extends AsyncDisposable {
  readonly issuer: string;
  /** The URL on which it really listens. */
  readonly address: string;
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** The audit, unless `env` has one. */
  readonly entries: readonly AuditEntry[];
  /** The URL of a path below the issuer; an absolute URL stays as it is. */
  url(target: string): URL;
  /** Requests a path below the issuer, or a URL of its host, without following redirects. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  drain(): void;
  /** Resolves when the work in the background is finished. */
  finished(): Promise<void> | undefined;
  /** Only for a server with METRICS_PORT. */
  scrape(): Promise<Scraped>;
}

export interface ServerOptions {
  readonly env?: Environment;
  readonly store?: RecordStore;
  /** Absent: one in the memory of this server. */
  readonly directory?: GrantDirectory | undefined;
  /** Only with `store`; absent: one in memory. */
  readonly statusStore?: StatusStore;
  readonly clock?: Clock;
  /** Outgoing requests of the server; by default no host answers. */
  readonly fetch?: typeof fetch;
  /** Replaces or extends the connector `acme`; or those that `env` configures. */
  readonly connectors?: ((acme: OpenConnector) => readonly OpenConnector[]) | 'configured';
  /** Upstreams whose tokens tools may get. */
  readonly tools?: readonly OpenTools[];
}

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { env = {}, store, directory, statusStore, clock, fetch: outward = unreachable, connectors, tools } = options;
  const issuer = env.ISSUER ?? ISSUER;
  const log: Record<string, unknown>[] = [];
  const entries: AuditEntry[] = [];
  // Without NODE_ENV=test, a public issuer with the development sign-in would be refused.
  const service = await compose(
    { NODE_ENV: 'test', ...env },
    {
      log: createLogger('auth-server', 'debug', { write: (line) => log.push(JSON.parse(line)) }),
      fetch: outward,
      ...(env.AUDIT === undefined && { audit: (entry) => void entries.push(entry) }),
      ...(connectors !== 'configured' && {
        connectors: connectors?.(acmeConnector(issuer)) ?? [acmeConnector(issuer)],
      }),
      ...(tools && { tools }),
      ...(clock && { clock }),
      ...(directory && { directory }),
      ...(statusStore && { statusStore }),
      // A server without DATA_DIR keeps its records in memory.
      ...((store ?? !env.DATA_DIR) && { store: store ?? createSqliteStore(':memory:', clock ?? systemClock) }),
    },
  );
  const listening = await serve(service.handler);
  const urlOf = (target: string) => new URL(URL.canParse(target) ? target : `${issuer}/${target.replace(/^\//, '')}`);
  return {
    issuer,
    url: urlOf,
    address: listening.url,
    log,
    entries,
    fetch: (path, init) => {
      const { pathname, search } = urlOf(path);
      return fetch(listening.url + pathname + search, { redirect: 'manual', ...init });
    },
    drain: () => service.drain(),
    finished: () => service.finished?.(),
    scrape: () => scrape(service.metrics),
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await listening.close();
      await service.close();
    },
  };
}

export const form = (values: Readonly<Record<string, string>>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(values),
});

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

/** The JSON of an answer, loosely typed. */
export const read = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>;
