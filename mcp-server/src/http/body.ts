/** Owns reading the JSON of a POST (JSON-RPC 2.0 §5.1, MCP transports): one media type, a limit on size and on depth. */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import { koaBody } from 'koa-body';
import type { AuthorizedState } from './bearer.ts';

const MAX_BYTES = 1024 * 1024;

/** Deeper than any honest message; what walks it recursively must not run out of stack. */
const MAX_DEPTH = 64;

const PARSE_ERROR = { code: -32700, message: 'Parse error' };
const INVALID_REQUEST = { code: -32600, message: 'Invalid Request' };

/** Puts the parsed message on the state; other methods have none. */
export function jsonBody(): Middleware<AuthorizedState> {
  const parse = koaBody({ jsonLimit: MAX_BYTES, jsonStrict: false, urlencoded: false, text: false });
  return async (ctx, next) => {
    if (ctx.method !== 'POST') return next();
    requireJson(ctx);
    const problem = await read(ctx, parse);
    if (problem) {
      ctx.state.log.info({ error: problem.message }, 'request refused');
      ctx.status = 400;
      ctx.body = { jsonrpc: '2.0', id: null, error: problem };
      return;
    }
    ctx.state.message = ctx.request.body;
    await next();
  };
}

function requireJson(ctx: Context): void {
  const charset = ctx.request.charset.toLowerCase();
  const plain = ['', 'identity'].includes(ctx.get('Content-Encoding').toLowerCase());
  if (plain && mediaType(ctx) === 'application/json' && ['', 'utf-8', 'utf8'].includes(charset)) return;
  throw new HttpError(415, 'invalid_request', 'The body must be application/json in UTF-8, not compressed.', {
    reason: 'unsupported_media_type',
    headers: { Accept: 'application/json' },
  });
}

const mediaType = (ctx: Context): string => ctx.request.type.trim().toLowerCase();

async function read(ctx: Context, parse: Middleware): Promise<typeof PARSE_ERROR | undefined> {
  try {
    await parse(ctx, async () => {});
  } catch (error) {
    if (error instanceof SyntaxError) return PARSE_ERROR;
    throw error;
  }
  const message: unknown = ctx.request.body;
  if (message === '' || message === undefined) return PARSE_ERROR;
  return isObject(message) && !isDeeper(message, MAX_DEPTH) ? undefined : INVALID_REQUEST;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isDeeper = (value: object, limit: number): boolean =>
  limit === 0 || Object.values(value).some((member) => isObject(member) && isDeeper(member, limit - 1));
