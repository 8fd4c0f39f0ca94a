/**
 * Owns the answer to a request that Node's HTTP parser refuses before a handler sees it: a header that is too large (RFC 6585 §5), a
 * request that is too slow (RFC 9110 §15.5.9), or no HTTP. The answer is not an OAuth error about the token, so that no client signs
 * in again because of it, and web pages may read it.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { apiHeaders } from '../security-headers.ts';

/** Bytes of a header by default: an access token of 32 KiB, which is three times the largest known ones, and 4 KiB of other fields. */
export const DEFAULT_HEADER_SIZE = 36_864;

export interface UnreadableOptions {
  readonly maxHeaderSize: number;
  /** Absent: refusals are not logged. */
  readonly log?: Logger | undefined;
}

type ParserError = Error & { readonly code?: string | undefined; readonly rawPacket?: Buffer | undefined };

interface UnreadableAnswer {
  readonly status: number;
  readonly reason: string;
  readonly description: string;
}

/** Answers and closes. The socket must not have an answer of another request in progress. */
export function refuseUnreadable(error: ParserError, socket: Socket, { maxHeaderSize, log }: UnreadableOptions): void {
  const request = randomUUID();
  const { status, reason, description } = answerFor(error, maxHeaderSize);
  const isHeader = status === 431;
  log?.info(
    {
      request,
      reason,
      status,
      // The real size may be larger: nothing beyond the limit is read.
      ...(isHeader && { received: socket.bytesRead, limit: maxHeaderSize, setting: 'MAX_HEADER_SIZE' }),
      ...lineOf(error.rawPacket),
    },
    'request refused',
  );
  socket.end(answerOf(status, request, { error: 'invalid_request', error_description: description }));
  drain(socket);
}

function answerFor({ code = '' }: ParserError, maxHeaderSize: number): UnreadableAnswer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        reason: 'header_too_large',
        description: `The header of the request is too large: this server accepts ${maxHeaderSize} bytes, including the access token.`,
      };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, reason: code, description: 'The request body is too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reason: 'too_slow', description: 'The request took too long to arrive.' };
    default:
      return { status: 400, reason: code || 'no_http', description: 'The request is not valid HTTP/1.1.' };
  }
}

function answerOf(status: number, request: string, body: object): string {
  const text = JSON.stringify(body);
  const headers = {
    ...headersOf(request),
    'Content-Length': Buffer.byteLength(text),
    Date: new Date(systemClock.now()).toUTCString(),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`;
}

/** Method and path, if the refused packet begins with them; without the query, which may contain a secret. */
function lineOf(packet: Buffer | undefined): { method?: string; path?: string } {
  const start = packet?.subarray(0, 512).toString('latin1') ?? '';
  const [, method, path] = /^([A-Z]{3,10}) (\/[^\s?#]{0,300})[^\r\n]*/.exec(start) ?? [];
  return method && path ? { method, path } : {};
}

/** The same for a request whose target cannot be parsed. */
export function refuseTarget(req: IncomingMessage, res: ServerResponse, { log }: UnreadableOptions): void {
  const request = randomUUID();
  log?.info({ request, reason: 'bad_target', status: 400, method: req.method }, 'request refused');
  const description = 'The address of the request cannot be read.';
  for (const [name, value] of Object.entries(headersOf(request))) res.setHeader(name, value);
  res.statusCode = 400;
  res.end(JSON.stringify({ error: 'invalid_request', error_description: description }));
}

const headersOf = (request: string) => ({
  ...apiHeaders,
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'X-Request-Id',
  'Cache-Control': 'no-store',
  Connection: 'close',
  'Content-Type': 'application/json; charset=utf-8',
  'X-Request-Id': request,
});

/** Maximum bytes and milliseconds for reading and dropping the rest of the request. */
const MOST_DRAINED = 1_048_576;
const LONGEST_DRAIN = 2_000;

/** Closing a connection with unread bytes resets it, and a client that is still sending would never see the answer. */
function drain(socket: Socket): void {
  const until = socket.bytesRead + MOST_DRAINED;
  const timer = setTimeout(() => socket.destroy(), LONGEST_DRAIN).unref();
  // Removes the listeners of the parser, which is finished with this connection.
  socket.removeAllListeners('data').removeAllListeners('end');
  socket.on('data', () => {
    if (socket.bytesRead > until) socket.destroy();
  });
  socket.on('end', () => socket.destroySoon());
  socket.on('close', () => clearTimeout(timer));
  socket.resume();
}
