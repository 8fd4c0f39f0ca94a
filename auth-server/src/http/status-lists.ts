/**
 * Owns the answers to requests for status lists (Token Status List §8): public documents, in front of all middleware, as every resource
 * server asks for them every few seconds.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { urlPath } from '@mcp-oauth/shared/contract';
import { HttpError } from '@mcp-oauth/shared/errors';
import { reported } from '@mcp-oauth/shared/http/error-boundary';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import { STATUS_LIST_MEDIA_TYPE } from '@mcp-oauth/shared/status-list/status-list';
import type { SigningKey } from '../keys/signing-key.ts';
import type { StatusDocuments } from '../revocation/status-documents.ts';
import { LIST_ID, STATUS_PATH } from '../revocation/status-lists.ts';
import { hasTag, isPlainRead, pathOf } from './public-documents.ts';

interface StatusListOptions {
  readonly issuer: string;
  readonly documents: StatusDocuments;
  /** Signs the lists. */
  readonly key: SigningKey;
  readonly log: Logger;
}

const HEADERS = {
  ...apiHeaders,
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag',
};

/** @returns a function that answers a request, or returns false if it is for something else */
export function answerStatusLists({ issuer, documents, key, log }: StatusListOptions) {
  const prefix = urlPath(issuer) + STATUS_PATH;

  const answer = async (list: string, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const document = await documents.find(list, key);
    if (!document) throw new HttpError(404, 'not_found', 'There is no such status list.');
    const { etag, body } = document;
    const headers = { ...HEADERS, 'Cache-Control': 'public, max-age=1', ETag: etag };
    // Also with no-cache, which fetch adds to a conditional request: the store was asked within the last second.
    if (hasTag(req, etag)) {
      res.writeHead(304, headers).end();
      return;
    }
    const size = Buffer.byteLength(body);
    res.writeHead(200, { ...headers, 'Content-Type': STATUS_LIST_MEDIA_TYPE, 'Content-Length': size });
    res.end(req.method === 'HEAD' ? undefined : body);
  };

  const refuse = (thrown: unknown, req: IncomingMessage, res: ServerResponse, request: string): void => {
    const { status, code, message, headers } = reported(thrown, log.child({ request }));
    const body = JSON.stringify({ error: code, error_description: message });
    const type = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };
    res.writeHead(status, { ...HEADERS, ...headers, ...type, 'Content-Length': Buffer.byteLength(body) });
    res.end(req.method === 'HEAD' ? undefined : body);
  };

  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const path = pathOf(req.url);
    if (!path.startsWith(prefix) || !isPlainRead(req)) return false;
    const list = path.slice(prefix.length);
    if (!LIST_ID.test(list)) return false;
    const request = randomUUID();
    res.setHeader('X-Request-Id', request);
    answer(list, req, res)
      .catch((error) => refuse(error, req, res, request))
      .finally(() => log.debug({ request, method: req.method, path, status: res.statusCode }, 'request'));
    return true;
  };
}
