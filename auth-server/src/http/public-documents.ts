/** Owns how long clients and resource servers may keep the metadata (RFC 8414) and the keys (RFC 7517): Cache-Control and ETag. */
import { createHash } from 'node:crypto';
import { AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH } from '@mcp-oauth/shared/contract';
import type { Middleware } from 'koa';

const DOCUMENTS: ReadonlySet<string> = new Set([AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH, '/jwks']);

/** @param lifetime in seconds; a rotation publishes a key longer than this before it signs */
export function publicDocuments(lifetime: number): Middleware {
  return async (ctx, next) => {
    await next();
    if (!DOCUMENTS.has(ctx.path) || ctx.status !== 200 || !ctx.body) return;
    ctx.set('Cache-Control', `public, max-age=${lifetime}`);
    ctx.etag = createHash('sha256').update(JSON.stringify(ctx.body)).digest('base64url');
    if (ctx.fresh) ctx.status = 304;
  };
}
