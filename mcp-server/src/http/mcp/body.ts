/** Owns reading the JSON of a POST (JSON-RPC 2.0 §5.1, MCP transports): one media type, limits on size, on depth and on number. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Allowance, Share } from '../../allowance/allowance.ts';
import { type LimitReached, RETRY_AFTER } from '../../allowance/limit.ts';
import { type Id, MessageError } from './message-error.ts';

/** Deeper than any honest message; what walks it recursively must not run out of stack. */
const MAX_DEPTH = 64;

/** What a body takes besides its bytes, as far as it is counted: a connection, and what is known of the request. */
const OVERHEAD = 4_096;

/** RFC 9110 §15.5.14 */
const tooManyValues = (reached: LimitReached, id: Id | undefined): MessageError =>
  new MessageError(-32600, reached.message, { status: 413, id, data: reached.data });

/** RFC 6585 §4 */
const tooManyBytes = (reached: LimitReached): MessageError =>
  new MessageError(-32000, reached.message, {
    status: 429,
    data: reached.data,
    headers: { 'Retry-After': RETRY_AFTER },
  });

const parseError = (): MessageError => new MessageError(-32700, 'Parse error');
const invalidRequest = (why: string, id?: Id): MessageError =>
  new MessageError(-32600, `Invalid Request: ${why}`, { id });

/** Gets the message, an object or an array, or why there is none. */
export type Received = (error: unknown, message?: unknown) => void;

export interface BodyBounds {
  readonly allowance: Allowance;
  /** Of the sender's memory, for a body that does not come in one piece; released by whoever made it. */
  readonly share: () => Share;
}

/** Calls back once, or never when the client goes away before its end: then there is nobody to answer. */
export function readMessage(req: IncomingMessage, bounds: BodyBounds, received: Received): void {
  const { headers } = req;
  if (!isJson(headers['content-type'] ?? '')) {
    received(unsupportedMediaType());
  } else if (Number(headers['content-length'] ?? 0) > bounds.allowance.limits.maxMessageBytes) {
    received(tooLarge());
  } else {
    collect(req, bounds, received);
  }
}

function collect(req: IncomingMessage, { allowance, share }: BodyBounds, received: Received): void {
  const { maxMessageBytes, maxBytesPerPrincipal } = allowance.limits;
  const declared = Number(req.headers['content-length'] ?? Number.NaN);
  const chunks: Buffer[] = [];
  let size = 0;
  let held: Share | undefined;
  /** Most bodies come in one piece, and are as much a part of what runs as of anything else: those are not counted. */
  const hold = (bytes: number): boolean => {
    if (size === declared) return true;
    if (held) return !Number.isNaN(declared) || held.hold(bytes);
    held = share();
    return held.hold(OVERHEAD + (declared || bytes));
  };
  const stop = (error: unknown): void => {
    // What still comes is read and dropped: a client that is cut off while it sends does not see the answer.
    req.off('data', take).off('end', end).resume();
    received(error);
  };
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > maxMessageBytes) stop(tooLarge());
    else if (hold(chunk.length)) chunks.push(chunk);
    else stop(tooManyBytes(allowance.reached('MAX_BYTES_PER_PRINCIPAL', maxBytesPerPrincipal)));
  };
  const end = (): void => {
    const [first] = chunks;
    let message: unknown;
    try {
      message = parse(chunks.length === 1 && first ? first : Buffer.concat(chunks), allowance);
    } catch (error) {
      received(error);
      return;
    }
    received(undefined, message);
  };
  req.on('data', take).on('end', end);
}

/** Bytes of a body whose values would take many times its own memory, should there be too many of them. */
const LARGE = 65_536;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];

/** Whether so many commas stand outside of strings: there is a value more than that. */
function hasCommas(bytes: Buffer, most: number): boolean {
  let commas = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length && commas < most; i += 1) {
    const byte = bytes[i];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted && byte === BACKSLASH) i += 1;
    else if (!quoted && byte === COMMA) commas += 1;
  }
  return commas >= most;
}

/** RFC 8259 §8.1 lets a reader ignore a byte order mark. */
const BYTE_ORDER_MARK = 0xfeff;

/** @throws MessageError */
function parse(bytes: Buffer, allowance: Allowance): object {
  if (!isUtf8(bytes)) throw parseError();
  const { maxMessageElements: most } = allowance.limits;
  if (bytes.length > LARGE && hasCommas(bytes, most)) {
    throw tooManyValues(allowance.reached('MAX_MESSAGE_ELEMENTS', most), undefined);
  }
  const text = bytes.toString();
  const message = parseJson(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  if (!isObject(message)) throw invalidRequest('the body has to be a JSON object');
  const room = inspect(message, MAX_DEPTH, most);
  if (room === TOO_DEEP) throw invalidRequest(`it may be nested at most ${MAX_DEPTH} levels deep`, idOf(message));
  if (room < 0) throw tooManyValues(allowance.reached('MAX_MESSAGE_ELEMENTS', most), idOf(message));
  return message;
}

function idOf(message: object): Id | undefined {
  const { id } = message as { id?: unknown };
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw parseError();
  }
}

/** Less than any room. */
const TOO_DEEP = Number.NEGATIVE_INFINITY;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * No message has a member `__proto__`; copied into an object of ours it would become one's prototype.
 * @param room values that there may be
 * @returns `TOO_DEEP`, or the room that is left; less than nothing when there are too many, of which the rest is not looked at
 */
function inspect(value: object, depth: number, room: number): number {
  if (depth === 0) return TOO_DEEP;
  let left = room;
  if (Array.isArray(value)) {
    left -= value.length;
    for (const item of value) if (left >= 0 && isObject(item)) left = inspect(item, depth - 1, left);
    return left;
  }
  for (const name in value) {
    if (name === '__proto__') throw parseError();
    left -= 1;
    if (left < 0) return left;
    const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
    if (isObject(member)) left = inspect(member, depth - 1, left);
  }
  return left;
}

/** RFC 8259 §11, RFC 9110 §8.3: `application/json`, in UTF-8 where a charset is named at all. */
function isJson(type: string): boolean {
  if (type === 'application/json') return true;
  const [essence = '', ...parameters] = type.toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset'));
  return essence.trim() === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset));
}

const tooLarge = (): HttpError =>
  new HttpError(413, 'invalid_request', 'The request body is too large.', { reason: 'body_too_large' });

const unsupportedMediaType = (): HttpError =>
  new HttpError(415, 'invalid_request', 'The body must be application/json in UTF-8.', {
    reason: 'unsupported_media_type',
    headers: { Accept: 'application/json' },
  });
