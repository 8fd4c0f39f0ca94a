/** Owns the middleware stack of the documents: what a request that is not for MCP passes through, top to bottom. */
import { logConnections } from '@mcp-oauth/shared/http/connections';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { operations } from '@mcp-oauth/shared/http/operations';
import { checkHead } from '@mcp-oauth/shared/http/request/head';
import { type RequestState, requestLog } from '@mcp-oauth/shared/http/request-log';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import Koa, { type Middleware } from 'koa';
import type { ScopePolicy } from '../authorization/scope.ts';
import type { ToolSummary } from '../protocol/endpoints.ts';
import { protectedCors } from './cors.ts';
import type { MetadataSource } from './documents/legacy-discovery.ts';
import { documents, isAtIssuer, redirects } from './documents/routes.ts';
import { describeTools } from './documents/tools-by-scope.ts';
import { checkHost, checkOrigin, type OriginOptions } from './origin.ts';

interface AppSettings extends OriginOptions {
  readonly serverName: string;
  readonly issuer: string;
  /** The URL by which this server reaches the issuer, if it differs from the public one. */
  readonly issuerInternalUrl?: string | undefined;
  readonly dpopRequired: boolean;
}

export interface AppDependencies {
  readonly settings: AppSettings;
  readonly log: Logger;
  readonly tools: () => readonly ToolSummary[];
  readonly scopes: ScopePolicy;
  readonly issuerMetadata: MetadataSource;
  readonly isReady: () => boolean;
}

export function createApp({ settings, log, tools, scopes, issuerMetadata, isReady }: AppDependencies): Koa {
  const { publicUrl, serverName, issuer, issuerInternalUrl, dpopRequired } = settings;
  const landing = { publicUrl, serverName, issuer, tools, baseScopes: scopes.initial };
  const atIssuer = isAtIssuer(publicUrl, issuer);
  const known = atIssuer && issuerInternalUrl === undefined ? undefined : issuerMetadata;
  const access = { scopes: scopes.supported, dpopRequired, toolsByScope: describeTools(tools, scopes) };
  const app = new Koa<RequestState>();
  app.use(requestLog(log));
  app.use(errorBoundary());
  app.use(headers(apiHeaders));
  app.use(checkHead);
  app.use(operations(isReady));
  app.use(checkHost(settings));
  app.use(documents(landing, access, known).routes());
  app.use(checkOrigin(settings));
  app.use(protectedCors());
  if (!atIssuer) app.use(redirects(issuerMetadata).routes());
  logConnections(app, log);
  return app;
}

const headers =
  (values: Readonly<Record<string, string>>): Middleware =>
  async (ctx, next) => {
    ctx.set(values);
    await next();
  };
