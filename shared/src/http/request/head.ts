/**
 * Owns the refusals by header fields alone, before the body is read: a request with more than one `Host` or an invalid one (RFC 9112
 * §3.2), and a body with a content coding (RFC 9110 §8.4, §15.5.16). Nothing that a client sends is ever decompressed.
 */
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { HttpError } from '../../errors.ts';

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders'>;

/** RFC 3986 §3.2.2, §3.2.3: a registered name or an address in brackets, and a port. An empty value is allowed. */
const HOST = /^(\[[0-9a-z:.%_~-]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i;

/** @returns undefined if there is nothing to refuse */
export function refusalOfHead(head: Head): HttpError | undefined {
  if (isRepeated(head, 'host') || !HOST.test(head.headers.host ?? '')) return badHost();
  return isCoded(head) ? unsupportedCoding() : undefined;
}

/** Refuses before any other middleware reads the request. */
export const checkHead: Middleware = (ctx, next) => {
  const refusal = refusalOfHead(ctx.req);
  if (refusal) throw refusal;
  return next();
};

/** Whether a field occurs more than once; for some fields Node keeps the first value silently. */
export function isRepeated({ rawHeaders }: Pick<Head, 'rawHeaders'>, name: string): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i];
    if (header?.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count > 1;
}

/** `identity` means no coding (RFC 9110 §12.5.3). */
function isCoded({ headers }: Pick<Head, 'headers'>): boolean {
  const coding = headers['content-encoding'];
  return coding !== undefined && coding !== '' && coding.toLowerCase() !== 'identity';
}

const badHost = (): HttpError =>
  new HttpError(400, 'invalid_request', 'The request must have exactly one valid Host header.', { reason: 'bad_host' });

const unsupportedCoding = (): HttpError =>
  new HttpError(415, 'invalid_request', 'The request body must not be compressed or otherwise encoded.', {
    reason: 'unsupported_content_encoding',
    headers: { 'Accept-Encoding': 'identity' },
  });
