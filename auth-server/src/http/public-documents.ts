/**
 * Owns the public documents: metadata (RFC 8414) and keys (RFC 7517). The engine builds each of them once. From then on they are
 * served in front of all middleware, as the same bytes with the same ETag (RFC 9110 §13), until the engine or its metadata changes.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH } from '@mcp-oauth/shared/contract';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Middleware } from 'koa';

const DOCUMENTS: ReadonlySet<string> = new Set([AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH, '/jwks']);

/** In every spelling that the engine accepts: its router ignores case and a trailing slash. */
const JWKS = /^\/jwks\/?$/i;

/** Maximum number of cached paths: a document may have several, but invented ones are not cached. */
const MOST = 8;

export interface PublicDocuments {
  /** Answers from the cache. @returns false if the document is not cached */
  answer(req: IncomingMessage, res: ServerResponse): boolean;
  /** Caches the answers of the engine. */
  readonly keep: Middleware;
}

export interface PublicDocumentsOptions {
  /** Seconds that others may cache them; a rotation publishes a key longer than this before the key signs. */
  readonly lifetime: number;
  readonly log: Logger;
  /** Changes whenever the engine would answer differently. */
  readonly revision: () => number;
  /** Public keys that verify tokens and that the engine must not have. */
  readonly furtherKeys: () => readonly object[];
}

interface Document {
  readonly etag: string;
  /** A string, because Node then sends headers and body in one write. */
  readonly body: string;
  /** Names and values in alternation, for 200 and for 304. */
  readonly headers: readonly string[];
  readonly headersUnchanged: readonly string[];
}

/** One cache per engine, because each engine has its own documents. */
export function createPublicDocuments(options: PublicDocumentsOptions): PublicDocuments {
  const { lifetime, log, revision, furtherKeys } = options;
  const documents = new Map<string, Document>();
  let keptRevision = 0;
  const find = (path: string): Document | undefined => {
    const document = documents.get(path);
    if (!document || keptRevision === revision()) return document;
    documents.clear();
    return undefined;
  };
  const remember = (path: string, document: Document, asked: number): void => {
    if (asked !== revision()) return;
    if (asked !== keptRevision) documents.clear();
    keptRevision = asked;
    if (documents.size < MOST) documents.set(path, document);
  };
  const toDocument = (content: unknown, type: string): Document => {
    const body = JSON.stringify(content);
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    // Public, and the same for all origins. Otherwise a cache would have to store one copy per origin.
    const own = { ...apiHeaders, 'Access-Control-Allow-Origin': '*', 'Cache-Control': `public, max-age=${lifetime}` };
    const headersUnchanged = [...Object.entries(own).flat(), 'ETag', etag];
    const headers = [...headersUnchanged, 'Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))];
    return { etag, body, headers, headersUnchanged };
  };

  return {
    answer: (req, res) => {
      const path = pathOf(req.url);
      const document = find(path);
      if (!document || !isPlainRead(req)) return false;
      const requestId = randomUUID();
      const unchanged = isUnchanged(req, document.etag);
      const status = unchanged ? 304 : 200;
      const headers = unchanged ? document.headersUnchanged : document.headers;
      res.writeHead(status, [...headers, 'X-Request-Id', requestId]);
      res.end(unchanged || req.method === 'HEAD' ? undefined : document.body);
      log.debug({ request: requestId, method: req.method, path, status }, 'request');
      return true;
    },
    keep: async (ctx, next) => {
      const asked = DOCUMENTS.has(ctx.path) ? revision() : undefined;
      await next();
      if (ctx.status !== 200 || !ctx.body) return;
      if (JWKS.test(ctx.path)) ctx.body = withKeys(ctx.body as KeySet, furtherKeys());
      if (asked === undefined) return;
      const document = toDocument(ctx.body, ctx.response.get('Content-Type'));
      remember(pathOf(ctx.originalUrl), document, asked);
      ctx.remove('Vary');
      for (let n = 0; n < document.headers.length; n += 2)
        ctx.set(document.headers[n] ?? '', document.headers[n + 1] ?? '');
      ctx.body = document.body;
      if (isUnchanged(ctx.req, document.etag)) ctx.status = 304;
    },
  };
}

interface KeySet {
  readonly keys: readonly object[];
}

const withKeys = ({ keys }: KeySet, further: readonly object[]): KeySet => ({ keys: [...keys, ...further] });

export const pathOf = (target = ''): string => {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
};

/** Requests with a body go through the limits. */
export const isPlainRead = ({ method, headers }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined;

/** RFC 9111 §5.2.1.4: a request with no-cache gets the full answer. */
const isUnchanged = (req: IncomingMessage, etag: string): boolean =>
  !/\bno-cache\b/.test(req.headers['cache-control'] ?? '') && hasTag(req, etag);

/** RFC 9110 §13.1.2: whether the caller has this version already. */
export function hasTag({ headers }: IncomingMessage, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return known.split(',').some((tag) => ['*', opaque(etag)].includes(opaque(tag)));
}
