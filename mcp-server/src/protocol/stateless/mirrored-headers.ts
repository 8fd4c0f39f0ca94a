/**
 * Ensures that headers which repeat members of the body agree with it: gateways decide by the headers, the server
 * by the body (MCP 2026-07-28 Streamable HTTP, "Server Validation").
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ParameterHeader } from '../wire/parameter-headers.ts';
import { headerMismatch } from './request-errors.ts';

type Json = Readonly<Record<string, unknown>>;

/** The parameter that `Mcp-Name` repeats, by method. */
const NAMED: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** RFC 9110 §5.5 field values, as restricted by MCP. */
const PLAIN = /^[\t\x20-\x7e]*$/;
const SENTINEL = /^=\?base64\?(.*)\?=$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,20})?$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Ensures that repeated members agree with the body. */
export function checkAgreement(headers: IncomingHttpHeaders, version: string, method: string): void {
  const { 'mcp-protocol-version': sentVersion = version, 'mcp-method': sentMethod = method } = headers;
  if (sentVersion !== version) throw headerMismatch('MCP-Protocol-Version', 'is not the version in _meta');
  if (sentMethod !== method) throw headerMismatch('Mcp-Method', 'is not the method of the body');
}

/** Ensures that a request repeats its version and its method. */
export function checkPresence(headers: IncomingHttpHeaders): void {
  if (headers['mcp-protocol-version'] === undefined) throw headerMismatch('MCP-Protocol-Version', 'is missing');
  if (headers['mcp-method'] === undefined) throw headerMismatch('Mcp-Method', 'is missing');
}

export function checkNameHeader(headers: IncomingHttpHeaders, method: string, params: Json): void {
  const member = NAMED.get(method);
  if (member === undefined) return;
  const named = params[member];
  const sent = headers['mcp-name'];
  // Unless a header names something, a body without a name gets its own, clearer error later.
  if (typeof named !== 'string' && sent === undefined) return;
  if (sent === undefined) throw headerMismatch('Mcp-Name', 'is missing');
  if (decode(sent, 'Mcp-Name') !== named) throw headerMismatch('Mcp-Name', `is not params.${member} of the body`);
}

/** @param given the unchecked arguments of the call */
export function checkParameterHeaders(
  headers: IncomingHttpHeaders,
  declared: readonly ParameterHeader[],
  given: unknown,
): void {
  for (const { header, path, type } of declared) {
    const value = valueAt(given, path);
    const sent = headers[header];
    if (value === undefined || value === null) {
      if (sent !== undefined) throw headerMismatch(header, 'names a value that the body does not have');
    } else if (isMirrored(value)) {
      if (sent === undefined) throw headerMismatch(header, 'is missing');
      const text = decode(sent, header);
      const same = type === 'integer' && DECIMAL.test(text) ? Number(text) === value : text === String(value);
      if (!same) throw headerMismatch(header, `is not ${path.join('.')} of the body`);
    }
  }
}

/** Values of other types are never repeated, and the tool's own schema refuses them. */
const isMirrored = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

function valueAt(given: unknown, path: readonly string[]): unknown {
  let value = given;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Json)[name];
  }
  return value;
}

/** Decodes a value that is sent as Base64 because a header can't carry it. */
function decode(sent: string | string[], header: string): string {
  if (typeof sent !== 'string' || !PLAIN.test(sent)) throw headerMismatch(header, 'has invalid characters');
  const encoded = SENTINEL.exec(sent)?.[1];
  if (encoded === undefined) return sent;
  if (!BASE64.test(encoded)) throw headerMismatch(header, 'is not valid Base64');
  try {
    return utf8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    throw headerMismatch(header, 'is not UTF-8');
  }
}
