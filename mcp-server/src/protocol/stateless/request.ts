/**
 * Owns the reading of one request of 2026-07-28, which carries everything that the server may know about its
 * client. The checks are in the order of the specification (MCP 2026-07-28 basic, "_meta", and Streamable HTTP,
 * "Request Metadata").
 */

import type { IncomingHttpHeaders } from 'node:http';
import { isObject } from '@mcp-oauth/shared/json';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import type { Call } from '../call.ts';
import type { LogLevel } from '../define.ts';
import { isStateless, STATELESS_REVISION } from '../revisions.ts';
import { dropAbsent } from '../wire/absent.ts';
import { flawOf, isId } from '../wire/message-flaw.ts';
import { checkAgreement, checkNameHeader, checkPresence } from './mirrored-headers.ts';
import {
  incompleteMeta,
  noCapabilities,
  noMeta,
  notOneMessage,
  noVersion,
  unsupportedVersion,
} from './request-errors.ts';

type Json = Readonly<Record<string, unknown>>;

/** A request with all required members and headers. */
export interface StatelessRequest extends Pick<Call, 'capabilities' | 'logLevel' | 'progressToken'> {
  readonly id: string | number;
  readonly method: string;
  readonly params: Json;
}

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>([
  'debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency',
]); // biome-ignore format: one list

/**
 * Whether a message, or a part of a batch, belongs to the era without sessions. `initialize` does only if it names
 * such a revision; in every other case it opens a session.
 */
export function isOfThisEra(message: unknown, headers: IncomingHttpHeaders): boolean {
  const named = headers['mcp-protocol-version'];
  if (typeof named === 'string' && isStateless(named)) return true;
  if (Array.isArray(message)) return message.some((part) => isOfThisEra(part, {}));
  const { method, params } = object(message) ?? {};
  const meta = object(object(params)?._meta);
  if (!meta || !(PROTOCOL_VERSION_META_KEY in meta)) return false;
  const version = meta[PROTOCOL_VERSION_META_KEY];
  return method !== 'initialize' || (typeof version === 'string' && isStateless(version));
}

/**
 * @returns nothing for a notification: this revision has no client notification over HTTP, so it has no effect
 * @throws RequestError
 */
export function readRequest(message: unknown, headers: IncomingHttpHeaders): StatelessRequest | undefined {
  const { id: sent, params: written } = object(message) ?? {};
  // The parameters of a request are required, as they contain `_meta`.
  if (sent !== undefined && (written === null || Array.isArray(written))) throw notOneMessage(NO_PARAMS);
  dropAbsent(message);
  const { jsonrpc, id, method, params: given = {} } = object(message) ?? {};
  const params = object(given);
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !params) throw notOneMessage(flawOf(message));
  if (id === undefined) return checkNotification(method, params, headers);
  if (!isId(id)) throw notOneMessage(flawOf(message));
  const meta = object(params._meta);
  if (!meta) throw noMeta();
  const { version, ...fields } = readMeta(meta);
  checkAgreement(headers, version, method);
  if (version !== STATELESS_REVISION) throw unsupportedVersion(version);
  checkPresence(headers);
  checkNameHeader(headers, method, params);
  return { id, method, params, ...fields };
}

const NO_PARAMS = 'params has to be an object';

/** A notification may have its version in the header only. */
function checkNotification(method: string, { _meta }: Json, headers: IncomingHttpHeaders): undefined {
  const { [PROTOCOL_VERSION_META_KEY]: version = headers['mcp-protocol-version'] } = object(_meta) ?? {};
  if (typeof version !== 'string') throw noVersion();
  checkAgreement(headers, version, method);
  if (version !== STATELESS_REVISION) throw unsupportedVersion(version);
}

function readMeta(meta: Json): Omit<StatelessRequest, 'id' | 'method' | 'params'> & { readonly version: string } {
  const version = meta[PROTOCOL_VERSION_META_KEY];
  if (typeof version !== 'string') throw noVersion();
  const capabilities = object(meta[CLIENT_CAPABILITIES_META_KEY]);
  if (!capabilities) throw noCapabilities();
  const info = meta[CLIENT_INFO_META_KEY];
  if (info !== undefined && !object(info)) throw incompleteMeta(CLIENT_INFO_META_KEY);
  const logLevel = meta[LOG_LEVEL_META_KEY];
  if (logLevel !== undefined && !LEVELS.has(logLevel)) throw incompleteMeta(LOG_LEVEL_META_KEY);
  const { progressToken } = meta;
  if (progressToken !== undefined && !isId(progressToken)) throw incompleteMeta('progressToken');
  return {
    version,
    capabilities,
    logLevel: logLevel as LogLevel | undefined,
    progressToken,
  };
}

/** A JSON object: neither an array nor null. */
export const object = (value: unknown): Json | undefined => (isObject(value) ? value : undefined);
