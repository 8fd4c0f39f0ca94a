/**
 * Owns what web pages may read and send (Fetch standard, CORS): public documents for all origins, MCP for allowed
 * ones.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from '@koa/cors';
import { beginAnswer, gather } from '@mcp-oauth/shared/http/answer';
import type { Middleware } from 'koa';

const EXPOSED = [
  'WWW-Authenticate', 'Mcp-Session-Id', 'Mcp-Protocol-Version', 'X-Request-Id', 'Retry-After', 'DPoP-Nonce',
]; // biome-ignore format: one list

const ACCEPTED = [
  'Authorization', 'Content-Type', 'Accept', 'Mcp-Session-Id', 'Mcp-Protocol-Version', 'Last-Event-ID', 'Mcp-Method',
  'Mcp-Name', 'DPoP',
]; // biome-ignore format: one list

const METHODS = ['GET', 'POST', 'DELETE'];

const A_DAY = 86_400;

const common = { allowHeaders: ACCEPTED, exposeHeaders: EXPOSED, maxAge: A_DAY, keepHeadersOnError: false };

/** For public documents. */
export const publicCors = (): Middleware => cors({ ...common, origin: '*', allowMethods: ['GET', 'HEAD'] });

/** For registration with one client for all: the answer is the same for everybody. */
export const registrationCors = (): Middleware => cors({ ...common, origin: '*', allowMethods: ['POST'] });

/** For MCP: the origin has been checked before. */
export const protectedCors = (): Middleware =>
  cors({ ...common, origin: (ctx) => ctx.get('Origin'), allowMethods: METHODS });

const EXPOSED_LIST = EXPOSED.join(',');

const FOR_PROGRAMS = ['Vary', 'Origin'];

/** For any answer on node:http. @param origin of a page that may call; absent for programs */
export function allowPage(res: ServerResponse, origin: string | undefined): void {
  gather(res, FOR_PROGRAMS);
  if (origin === undefined) return;
  gather(res, ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', EXPOSED_LIST]);
}

export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

export function answerPreflight({ headers }: IncomingMessage, res: ServerResponse): void {
  const asked = String(headers['access-control-request-headers'] ?? '').split(',');
  const allowed = [...ACCEPTED, ...asked.map((name) => name.trim()).filter(isParameter)];
  const may = ['Access-Control-Allow-Methods', METHODS.join(','), 'Access-Control-Allow-Headers', allowed.join(',')];
  beginAnswer(res, 204, [...may, 'Access-Control-Max-Age', String(A_DAY)]).end();
}

/**
 * Each tool declares its own headers (MCP 2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool
 * Parameters").
 */
const isParameter = (name: string): boolean => /^mcp-param-[\w!#$%&'*+.^`|~-]+$/i.test(name);
