/** Owns reading the JSON of a POST (JSON-RPC 2.0 §5.1, MCP transports): one media type, a limit on size and on depth. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@mcp-oauth/shared/errors';

const MAX_BYTES = 1024 * 1024;

/** Deeper than any honest message; what walks it recursively must not run out of stack. */
const MAX_DEPTH = 64;

/** Bytes that are no message: answered as JSON-RPC does, for a request whose id nobody knows. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const parseError = (): MessageError => new MessageError(-32700, 'Parse error');
const invalidRequest = (): MessageError => new MessageError(-32600, 'Invalid Request');

/** Gets the message, an object or an array, or why there is none. */
export type Received = (error: unknown, message?: unknown) => void;

/** Calls back once, or never when the client goes away before its end: then there is nobody to answer. */
export function readMessage(req: IncomingMessage, received: Received): void {
  const { headers } = req;
  if (!isJson(headers['content-type'] ?? '')) {
    received(unsupportedMediaType());
  } else if (Number(headers['content-length'] ?? 0) > MAX_BYTES) {
    received(tooLarge());
  } else {
    collect(req, received);
  }
}

function collect(req: IncomingMessage, received: Received): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= MAX_BYTES) {
      chunks.push(chunk);
      return;
    }
    // What still comes is read and dropped: a client that is cut off while it sends does not see the answer.
    req.off('data', take).off('end', end).resume();
    received(tooLarge());
  };
  const end = (): void => {
    const [first] = chunks;
    let message: unknown;
    try {
      message = parse(chunks.length === 1 && first ? first : Buffer.concat(chunks));
    } catch (error) {
      received(error);
      return;
    }
    received(undefined, message);
  };
  req.on('data', take).on('end', end);
}

/** RFC 8259 §8.1 lets a reader ignore a byte order mark. */
const BYTE_ORDER_MARK = 0xfeff;

/** @throws MessageError */
function parse(bytes: Buffer): object {
  if (!isUtf8(bytes)) throw parseError();
  const text = bytes.toString();
  const message = parseJson(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  if (!isObject(message)) throw invalidRequest();
  inspect(message, MAX_DEPTH);
  return message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw parseError();
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** No message has a member `__proto__`; copied into an object of ours it would become one's prototype. */
function inspect(value: object, depth: number): void {
  if (depth === 0) throw invalidRequest();
  if (Array.isArray(value)) {
    for (const item of value) if (isObject(item)) inspect(item, depth - 1);
    return;
  }
  for (const name in value) {
    if (name === '__proto__') throw parseError();
    const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
    if (isObject(member)) inspect(member, depth - 1);
  }
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
