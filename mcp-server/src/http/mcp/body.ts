/**
 * Owns the reading of the JSON of a POST (JSON-RPC 2.0 §5.1, MCP transports): one media type, limits on size, depth
 * and number of values.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@mcp-oauth/shared/errors';
import { INVALID_REQUEST, LIMIT_REACHED, PARSE_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import type { Allowance, Share } from '../../allowance/allowance.ts';
import { type LimitReached, RETRY_AFTER } from '../../allowance/limit.ts';
import { type Id, MessageError } from './message-error.ts';

/** Deeper than any realistic message: recursive functions must not run out of stack. */
const MAX_DEPTH = 64;

/** Estimated memory of a request besides its body: a connection, and the objects of the request. */
const OVERHEAD = 4_096;

/** RFC 9110 §15.5.14 */
const tooManyValues = (reached: LimitReached, id: Id | undefined): MessageError =>
  new MessageError(INVALID_REQUEST, reached.message, { status: 413, id, data: reached.data });

/** RFC 6585 §4 */
const tooManyBytes = (reached: LimitReached): MessageError =>
  new MessageError(LIMIT_REACHED, reached.message, {
    status: 429,
    data: reached.data,
    headers: { 'Retry-After': RETRY_AFTER },
  });

const parseError = (): MessageError => new MessageError(PARSE_ERROR, 'Parse error');
const invalidRequest = (why: string, id?: Id): MessageError =>
  new MessageError(INVALID_REQUEST, `Invalid Request: ${why}`, { id });

/** Called with the message, an object or an array, or with the error. */
export type Received = (error: unknown, message?: unknown) => void;

export interface BodyBounds {
  readonly allowance: Allowance;
  /** Creates the sender's share of memory, for a body in several chunks. The caller releases it. */
  readonly share: () => Share;
}

/** Calls back once, or never if the client disconnects before the end of its body. */
export function readMessage(req: IncomingMessage, bounds: BodyBounds, received: Received): void {
  const { headers } = req;
  if (!isJson(headers['content-type'] ?? '')) {
    received(unsupportedMediaType());
  } else if (Number(headers['content-length'] ?? 0) > bounds.allowance.limits.maxMessageBytes) {
    received(tooLarge());
  } else {
    // Most bodies arrive with their head: once Node has parsed both, the body is read without a listener.
    process.nextTick(readOrCollect, req, bounds, received);
  }
}

function readOrCollect(req: IncomingMessage, bounds: BodyBounds, received: Received): void {
  const whole: Buffer | null = req.readableLength === Number(req.headers['content-length']) ? req.read() : null;
  if (whole) finish(whole, bounds, received);
  else collect(req, bounds, received);
}

function finish(bytes: Buffer, { allowance }: BodyBounds, received: Received): void {
  let message: unknown;
  try {
    message = parse(bytes, allowance);
  } catch (error) {
    received(error);
    return;
  }
  received(undefined, message);
}

function collect(req: IncomingMessage, bounds: BodyBounds, received: Received): void {
  const { allowance, share } = bounds;
  const { maxMessageBytes, maxBytesPerPrincipal } = allowance.limits;
  const declared = Number(req.headers['content-length'] ?? Number.NaN);
  const chunks: Buffer[] = [];
  let size = 0;
  let held: Share | undefined;
  /** Most bodies arrive in one chunk and are handled immediately: those are not counted. */
  const hold = (bytes: number): boolean => {
    if (size === declared) return true;
    if (held) return !Number.isNaN(declared) || held.hold(bytes);
    held = share();
    return held.hold(OVERHEAD + (declared || bytes));
  };
  const stop = (error: unknown): void => {
    // Reads and drops the rest: a client that is disconnected while it sends would not see the answer.
    req.off('data', take).off('end', end).resume();
    received(error);
  };
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > maxMessageBytes) stop(tooLarge());
    else if (hold(chunk.length)) chunks.push(chunk);
    else stop(tooManyBytes(allowance.reached('MAX_BYTES_PER_PRINCIPAL', maxBytesPerPrincipal)));
  };
  const end = (): void => finish(Buffer.concat(chunks), bounds, received);
  req.on('data', take).on('end', end);
}

/**
 * Bytes from which the number of values is estimated before parsing: the values of a larger body could take many
 * times its memory.
 */
const LARGE = 65_536;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];

/** Whether at least `most` commas are outside of strings: the number of values is higher by at least one. */
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

/** RFC 8259 §8.1 allows a reader to ignore a byte order mark. */
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
  const left = inspect(message, MAX_DEPTH, most);
  if (left === TOO_DEEP) throw invalidRequest(`it may be nested at most ${MAX_DEPTH} levels deep`, idOf(message));
  if (left < 0) throw tooManyValues(allowance.reached('MAX_MESSAGE_ELEMENTS', most), idOf(message));
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

/** Less than any number of values. */
const TOO_DEEP = Number.NEGATIVE_INFINITY;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Refuses a member `__proto__`, which no message has: copied into an object, it would become its prototype.
 * @param allowed number of values that are allowed
 * @returns `TOO_DEEP`, or the number of values that are left; negative if there are too many, and then the rest is
 *   not read
 */
function inspect(value: object, depth: number, allowed: number): number {
  if (depth === 0) return TOO_DEEP;
  let left = allowed;
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

/** RFC 8259 §11, RFC 9110 §8.3: `application/json`, and UTF-8 if a charset is given. */
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
