/** Owns what web pages may read and send (Fetch standard, CORS): public documents for all, MCP for allowed origins. */
import cors from '@koa/cors';
import type { Middleware } from 'koa';

const EXPOSED = ['WWW-Authenticate', 'Mcp-Session-Id', 'Mcp-Protocol-Version', 'X-Request-Id', 'Retry-After'];

const ACCEPTED = [
  'Authorization', 'Content-Type', 'Accept', 'Mcp-Session-Id', 'Mcp-Protocol-Version', 'Last-Event-ID', 'Mcp-Method',
  'Mcp-Name',
]; // biome-ignore format: one list

const A_DAY = 86_400;

/** For what everybody may know. */
export const publicCors = (): Middleware =>
  cors({
    origin: '*',
    allowMethods: ['GET', 'HEAD'],
    allowHeaders: ACCEPTED,
    exposeHeaders: EXPOSED,
    maxAge: A_DAY,
    keepHeadersOnError: false,
  });

/** For what stands behind the check of the origin: it has let this one through. */
export const protectedCors = (): Middleware =>
  cors({
    origin: (ctx) => ctx.get('Origin'),
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ACCEPTED,
    exposeHeaders: EXPOSED,
    maxAge: A_DAY,
    keepHeadersOnError: false,
  });
