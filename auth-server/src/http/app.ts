/** Owns the order in which a request meets the parts of the server, from the outside in. */
import type { RequestListener } from 'node:http';
import type { BlockList } from 'node:net';
import type { Clock } from '@mcp-oauth/shared/clock';
import { logConnections } from '@mcp-oauth/shared/http/connections';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { operations } from '@mcp-oauth/shared/http/operations';
import { checkHead, refusalOfHead } from '@mcp-oauth/shared/http/request-head';
import { requestLog } from '@mcp-oauth/shared/http/request-log';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { type RegistrationParts, registrationGuard } from './admission/registration.ts';
import { authorizationLimit, failureLimit, type RequestLimits } from './admission/request-limits.ts';
import { rememberClientAddress } from './client-address.ts';
import { cors } from './cors.ts';
import { renderErrorPage } from './error-page.ts';
import { underIssuerPath } from './issuer-path.ts';
import { createPublicDocuments } from './public-documents.ts';
import { publicHost } from './public-host.ts';
import { bodyLimit } from './request-size.ts';

export interface AppParts {
  readonly issuer: string;
  readonly log: Logger;
  readonly isReady: () => boolean;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: BlockList;
  readonly clock: Clock;
  readonly registration: RegistrationParts;
  readonly limits: RequestLimits;
  /** Seconds that metadata and keys may be kept by others. */
  readonly documentLifetime: number;
  /** Is another number whenever the metadata is to say something else. */
  readonly revision: () => number;
  /** The pages (sign-in, and the return from an upstream), then what guards the engine. */
  readonly routes: readonly Middleware[];
  /** Answers what is left: the protocol. */
  readonly engine: Koa;
}

export function createApp({ engine, ...parts }: AppParts): RequestListener {
  const documents = createPublicDocuments({ ...parts, lifetime: parts.documentLifetime });
  const onion: readonly Middleware[] = [
    requestLog(parts.log) as Middleware,
    errorBoundary({ page: renderErrorPage }) as Middleware,
    securityHeaders,
    checkHead,
    rememberClientAddress(parts.trustedProxies),
    publicHost(parts.issuer),
    operations(parts.isReady),
    underIssuerPath(parts.issuer),
    cors,
    bodyLimit(),
    registrationGuard(parts.registration),
    authorizationLimit(parts.limits),
    failureLimit(parts.limits.failure, parts.clock),
    documents.keep,
    ...parts.routes,
  ];
  for (const layer of onion) engine.use(layer);
  logConnections(engine, parts.log);
  const ask = engine.callback();
  return (req, res) => {
    if (refusalOfHead(req) || !documents.answer(req, res)) void ask(req, res);
  };
}

const API_HEADERS = Object.entries(apiHeaders);

/** For every answer; pages bring their own. */
const securityHeaders: Middleware = (ctx, next) => {
  for (const [name, value] of API_HEADERS) ctx.res.setHeader(name, value);
  return next();
};
