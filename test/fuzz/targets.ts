/**
 * Owns the fuzzed services: composed as in production, over real HTTP, with limits so high that they do not end the
 * run.
 */
import type { RequestListener } from 'node:http';
import { systemClock } from '@mcp-oauth/shared/clock';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { compose as composeAuth } from '../../auth-server/src/compose/compose.ts';
import type { OpenConnector } from '../../auth-server/src/federation/registry.ts';
import { createSqliteStore } from '../../auth-server/src/storage/sqlite.ts';
import { acmeConnector, unreachable } from '../../auth-server/test/support/acme-connector.ts';
import { compose as composeMcp } from '../../mcp-server/src/compose/compose.ts';
import { type SigningKey, signingKey, signToken, startIssuer } from '../../mcp-server/test/support/issuer.ts';
import { type Target, WatchedLog } from './fuzz.ts';

export interface McpTarget extends Target {
  readonly url: string;
  readonly key: SigningKey;
  claims(more?: Record<string, unknown>): Record<string, unknown>;
  token(more?: Record<string, unknown>): Promise<string>;
}

export async function openMcp(env: Environment = {}): Promise<McpTarget> {
  const watched = new WatchedLog('mcp-server');
  let handler: RequestListener = () => {};
  const server = await serve((req, res) => handler(req, res));
  const [issuer, key] = await Promise.all([startIssuer(), signingKey('key-1')]);
  issuer.keys.push(key.publicJwk);
  const service = await composeMcp(
    { PUBLIC_URL: server.url, ISSUER: issuer.url, NODE_ENV: 'test', ...env },
    { log: watched.log },
  );
  handler = service.handler;
  const claims = (more: Record<string, unknown> = {}) => {
    const now = Math.floor(systemClock.now() / 1000);
    const who = { sub: 'person-1', client_id: 'client-1', scope: 'mcp:tools' };
    return { iss: issuer.url, aud: `${server.url}/mcp`, ...who, iat: now, exp: now + 6_000, ...more };
  };
  return {
    watched,
    url: server.url,
    key,
    claims,
    token: (more) => signToken({ key, claims: claims(more) }),
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await server.close();
      await service.close();
      await issuer.close();
    },
  };
}

export interface AuthTarget extends Target {
  readonly issuer: string;
  /** The URL on which it listens. */
  readonly url: string;
  /** The client address of the next request. */
  from: string | undefined;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const UNLIMITED = {
  REGISTRATION_LIMIT: '1000000', REGISTRATION_LIMIT_GLOBAL: '1000000', AUTHORIZATION_LIMIT: '1000000', FAILURE_LIMIT: '1000000',
  CLIENT_METADATA_LIMIT: '1000000',
}; // biome-ignore format: one list

export async function openAuth(connectors: readonly OpenConnector[] = [], env: Environment = {}): Promise<AuthTarget> {
  const watched = new WatchedLog('auth-server');
  const issuer = 'http://localhost:9000';
  const service = await composeAuth(
    { NODE_ENV: 'test', ISSUER: issuer, REGISTRATION_MANAGEMENT: 'true', ...UNLIMITED, ...env },
    {
      log: watched.log,
      fetch: unreachable,
      store: createSqliteStore(':memory:', systemClock),
      connectors: connectors.length > 0 ? connectors : [acmeConnector(issuer)],
    },
  );
  const target = { from: undefined as string | undefined };
  const server = await serve((req, res) => {
    const { from } = target;
    if (from !== undefined) Object.defineProperty(req.socket, 'remoteAddress', { value: from, configurable: true });
    service.handler(req, res);
  });
  return Object.assign(target, {
    watched,
    issuer,
    url: server.url,
    fetch: (path: string, init?: RequestInit) => fetch(server.url + path, { redirect: 'manual', ...init }),
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await server.close();
      await service.close();
    },
  });
}

/** Reads an answer to its end; a stream of events has no end to wait for. */
export async function statusOf(answer: Promise<Response> | Response): Promise<number> {
  const response = await answer;
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) await response.body?.cancel();
  else await response.arrayBuffer();
  return response.status;
}
