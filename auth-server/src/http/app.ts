/** Owns the order of the middleware, from the outside in. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { Clock } from '@mcp-oauth/shared/clock';
import { listenerOf, logConnections } from '@mcp-oauth/shared/http/connections';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { operations } from '@mcp-oauth/shared/http/operations';
import { checkHead, refusalOfHead } from '@mcp-oauth/shared/http/request/head';
import { requestLog } from '@mcp-oauth/shared/http/request-log';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { withoutHandle } from '../connecting/links.ts';
import { stateOf } from '../context-state.ts';
import type { ChooseLanguage } from '../languages/languages.ts';
import type { Pages } from '../views/pages.ts';
import { type DeviceLimits, deviceAdmission } from './admission/device.ts';
import { type RegistrationOptions, registrationGuard } from './admission/registration.ts';
import { authorizationLimit, failureLimit, type RequestLimits } from './admission/request-limits.ts';
import { rememberClientAddress } from './client-address.ts';
import { cors } from './cors.ts';
import { renderErrorPage } from './error-page.ts';
import { underIssuerPath } from './issuer-path.ts';
import { createPublicDocuments } from './public-documents.ts';
import { publicHost } from './public-host.ts';
import { bodyLimit, dropRest } from './request-size.ts';

export interface AppOptions {
  readonly issuer: string;
  readonly log: Logger;
  readonly audit: Audit;
  readonly isReady: () => boolean;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  /** Proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: BlockList;
  readonly clock: Clock;
  readonly registration: RegistrationOptions;
  readonly limits: RequestLimits;
  readonly deviceLimits: DeviceLimits;
  /** Seconds that others may cache metadata and keys. */
  readonly documentLifetime: number;
  /** Changes whenever the content of the metadata changes. */
  readonly revision: () => number;
  /** Public keys that verify tokens and that the engine must not have. */
  readonly furtherKeys: () => readonly object[];
  /** Answers a request for a status list; returns false for any other. */
  readonly answerStatusLists: (req: IncomingMessage, res: ServerResponse) => boolean;
  /** SCIM, which has limits and errors of its own. */
  readonly provisioning: Middleware;
  /** The pages: sign-in, the return from an upstream, and others. */
  readonly routes: readonly Middleware[];
  /** Run directly before the engine. */
  readonly guards: readonly Middleware[];
  /** Answers everything else: the protocol. */
  readonly engine: Koa;
}

export function createApp({ engine, ...options }: AppOptions): RequestListener {
  const documents = createPublicDocuments({ ...options, lifetime: options.documentLifetime });
  const onion: readonly Middleware[] = [
    requestLog(options.log, withoutHandle) as Middleware,
    auditOfRequest(options.audit),
    errorBoundary({ page: renderErrorPage(options.languageOf, options.pages) }) as Middleware,
    securityHeaders,
    checkHead,
    dropRest(),
    rememberClientAddress(options.trustedProxies),
    publicHost(options.issuer),
    operations(options.isReady),
    underIssuerPath(options.issuer),
    ofOthers(options.provisioning),
    cors,
    bodyLimit(),
    ofOthers(registrationGuard(options.registration)),
    ofOthers(authorizationLimit(options.limits)),
    ofOthers(deviceAdmission({ issuer: options.issuer, limits: options.deviceLimits })),
    failureLimit(options.limits.failure, options.clock),
    ofOthers(documents.keep),
    ...options.routes.map(ofOthers),
    ...options.guards,
  ];
  for (const layer of onion) engine.use(layer);
  logConnections(engine, options.log);
  const ask = listenerOf(engine);
  const { answerStatusLists } = options;
  return (req, res) => {
    if (refusalOfHead(req) || !(documents.answer(req, res) || answerStatusLists(req, res))) ask(req, res);
  };
}

/** A layer of other paths than `/token`. Most requests are for tokens, and each layer that looks at them costs a promise or two. */
const ofOthers =
  (layer: Middleware): Middleware =>
  (ctx, next) =>
    ctx.path === '/token' ? next() : layer(ctx, next);

/** Adds to each entry from where the request is, its id and its flow. */
const auditOfRequest =
  (audit: Audit): Middleware =>
  (ctx, next) => {
    const state = stateOf(ctx);
    state.audit = (entry) => {
      const { clientAddress: from, requestId: reference, flow } = state;
      audit({ from, reference, flow, ...entry });
    };
    return next();
  };

const API_HEADERS = Object.entries(apiHeaders);

/** Headers of every answer; pages set their own. */
const securityHeaders: Middleware = (ctx, next) => {
  for (const [name, value] of API_HEADERS) ctx.res.setHeader(name, value);
  return next();
};
