/** Owns the middleware stack of the documents: what a request that is not for MCP passes through, top to bottom. */
import { logConnections } from '@mcp-oauth/shared/http/connections';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { operations } from '@mcp-oauth/shared/http/operations';
import { checkHead } from '@mcp-oauth/shared/http/request/head';
import { type RequestState, requestLog } from '@mcp-oauth/shared/http/request-log';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import Koa, { type Middleware } from 'koa';
import type { Restatement } from '../authorization/issuer/restated/metadata.ts';
import type { ScopePolicy } from '../authorization/scope.ts';
import type { ListsState } from '../authorization/status/status-lists.ts';
import type { ToolSummary } from '../protocol/endpoints.ts';
import { protectedCors } from './cors.ts';
import type { MetadataSource } from './documents/legacy-discovery.ts';
import { restatedEndpoints, restatedMetadata } from './documents/restated.ts';
import { documents, isAtIssuer, redirects } from './documents/routes.ts';
import { describeTools } from './documents/tools-by-scope.ts';
import { checkHost, checkOrigin, type OriginOptions } from './origin.ts';

interface AppSettings extends OriginOptions {
  readonly serverName: string;
  readonly dpopRequired: boolean;
}

interface AppIssuer {
  readonly id: string;
  readonly url: string;
  /** Whether clients are told about it. */
  readonly announced: boolean;
  /** How clients read its metadata here; absent: they read it at the issuer. */
  readonly restated?: Restatement | undefined;
  /** The URL by which this server reaches the issuer, if it differs from the public one. */
  readonly internalUrl?: string | undefined;
  readonly metadata: MetadataSource;
  readonly keysReadAt: () => number | undefined;
  /** Whether it publishes no keys, because all its tokens are opaque. */
  readonly hasNoKeys?: () => boolean;
}

export interface AppDependencies {
  readonly settings: AppSettings;
  readonly log: Logger;
  readonly tools: () => readonly ToolSummary[];
  readonly scopes: ScopePolicy;
  readonly issuers: readonly AppIssuer[];
  readonly statusLists: () => readonly ListsState[];
  /** The public keys of this server, if it has any. */
  readonly ownKeys?: object | undefined;
  readonly isReady: () => boolean;
}

export function createApp(dependencies: AppDependencies): Koa {
  const { settings, log, tools, scopes, issuers, statusLists, ownKeys, isReady } = dependencies;
  const { publicUrl, serverName, dpopRequired } = settings;
  const announced = issuers.filter((issuer) => issuer.announced);
  const landing = {
    publicUrl,
    serverName,
    issuers: announced.map(({ url }) => url),
    tools,
    baseScopes: scopes.initial,
  };
  // Clients of 2025-03-26 know one authorization server for an origin.
  const [first] = announced;
  const atIssuer = first !== undefined && isAtIssuer(publicUrl, first.url);
  const [here] = announced.flatMap(({ metadata, restated }) => (restated ? [{ metadata, restated }] : []));
  const ofIssuer = atIssuer && first.internalUrl === undefined ? undefined : first?.metadata;
  const known = here ? restatedMetadata(here, publicUrl, log) : ofIssuer;
  const access = {
    // RFC 9728 §2: the identifier by which clients find the metadata.
    issuers: announced.map(({ url, restated }) => (restated ? publicUrl : url)),
    scopes: scopes.supported,
    dpopRequired,
    toolsByScope: describeTools(tools, scopes),
    ownKeys,
  };
  const app = new Koa<RequestState>();
  app.use(requestLog(log));
  app.use(errorBoundary());
  app.use(headers(apiHeaders));
  app.use(checkHead);
  app.use(operations(isReady, () => ({ ...keysOf(issuers), ...listsOf(statusLists()) })));
  app.use(checkHost(settings));
  app.use(documents(landing, access, known).routes());
  if (here) app.use(restatedEndpoints(here).routes());
  app.use(checkOrigin(settings));
  app.use(protectedCors());
  if (first && !here && !atIssuer) app.use(redirects(first.metadata).routes());
  logConnections(app, log);
  return app;
}

/** For the readiness probe: which issuers' tokens can be checked. */
const keysOf = (issuers: readonly AppIssuer[]) => ({
  issuers: Object.fromEntries(issuers.map((issuer) => [issuer.id, stateOf(issuer)])),
});

function stateOf({ keysReadAt, hasNoKeys }: AppIssuer): string {
  if (keysReadAt() !== undefined) return 'keys read';
  return hasNoKeys?.() ? 'no keys, opaque tokens only' : 'keys not read';
}

/**
 * For the readiness probe: whether revoked tokens are known, of issuers whose tokens refer to lists. A replica stays ready without, as the
 * settings decide what it refuses.
 */
function listsOf(states: readonly ListsState[]): object {
  const used = states.filter(({ lists }) => lists > 0);
  const texts = used.map(({ id, lists, unread, age = 0 }) => [
    id,
    unread === 0 ? `${lists} read` : `${unread} of ${lists} not read for ${Math.round(age)} s`,
  ]);
  return used.length === 0 ? {} : { statusLists: Object.fromEntries(texts) };
}

const headers =
  (values: Readonly<Record<string, string>>): Middleware =>
  async (ctx, next) => {
    ctx.set(values);
    await next();
  };
