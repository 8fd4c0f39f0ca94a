/** Owns the reading of JSON-RPC 2.0 messages from a request body (MCP basic/transports). */

import {
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import type { Agreement } from '../../sessions/session.ts';
import { SESSION_REVISIONS } from '../revisions.ts';
import { dropAbsent } from '../wire/absent.ts';
import { flawOf, idOf, isId } from '../wire/message-flaw.ts';

export interface Incoming {
  readonly messages: readonly JSONRPCMessage[];
  /** The messages that need an answer. */
  readonly requests: readonly JSONRPCRequest[];
  /** Whether the body was an array (JSON-RPC batch, MCP 2025-03-26 only). */
  readonly batch: boolean;
}

/**
 * Reads a body, and removes null members from it.
 * @returns `undefined` when any part is not a JSON-RPC 2.0 message as MCP defines it
 * @param most maximum number of messages in a batch; a longer batch is not read
 */
export function readMessages(body: unknown, most: number): Incoming | 'too_many' | undefined {
  const batch = Array.isArray(body);
  const messages: readonly unknown[] = batch ? body : [body];
  if (messages.length > most) return 'too_many';
  messages.forEach(dropAbsent);
  if (messages.length === 0 || !messages.every(isMessage)) return undefined;
  return { messages, requests: messages.filter(isRequest), batch };
}

/** The flaw and the id of the first part of a body that is not a message. */
export function unreadable(body: unknown): { readonly flaw: string | undefined; readonly id: RequestId | undefined } {
  const part = Array.isArray(body) ? body.find((one) => !isMessage(one)) : body;
  return { flaw: flawOf(part), id: idOf(part) };
}

/** Whether two of the requests have the same id, or one has the id of a running request. */
export function repeatsId({ requests }: Incoming, isRunning: (id: RequestId) => boolean): boolean {
  const ids = new Set(requests.map(({ id }) => id));
  return ids.size < requests.length || requests.some(({ id }) => isRunning(id));
}

/** Uses the checks of the SDK: its server would never answer a message that they refuse. */
const isMessage = (value: unknown): value is JSONRPCMessage =>
  isPlainRequest(value) || (flawOf(value) === undefined && isCanonical(value));

const isCanonical = (value: unknown): boolean =>
  isJSONRPCRequest(value) ||
  isJSONRPCNotification(value) ||
  isJSONRPCResultResponse(value) ||
  isJSONRPCErrorResponse(value);

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** Recognizes nearly every message for a hundredth of the cost of a schema. The SDK checks the rest. */
function isPlainRequest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { jsonrpc, id, method, params = {} } = value as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return false;
  if (!isId(id)) return false;
  if (typeof params !== 'object' || params === null || Array.isArray(params) || '_meta' in params) return false;
  for (const member in value) if (!MEMBERS.has(member)) return false;
  return true;
}

export const isRequest = (message: JSONRPCMessage): message is JSONRPCRequest => 'method' in message && 'id' in message;

const initializeOf = ({ requests }: Incoming): JSONRPCRequest | undefined =>
  requests.find(({ method }) => method === 'initialize');

/** MCP lifecycle, version negotiation: the client's revision if this server knows it, else the newest one. */
const negotiate = (requested: string): string =>
  SESSION_REVISIONS.includes(requested) ? requested : LATEST_PROTOCOL_VERSION;

/**
 * Maximum characters of the parameters of initialize: every session keeps them, and a person may have a thousand
 * sessions.
 */
const LONGEST_INTRODUCTION = 65_536;

/** An `initialize` with invalid parameters. */
export interface Unagreed {
  readonly id: RequestId;
  /** A description of the invalid parameters. */
  readonly flaw: string;
}

/** The result of the negotiation if a message is an `initialize` (MCP lifecycle, "Initialization"). */
export function agreement(incoming: Incoming): Agreement | Unagreed | undefined {
  const request = initializeOf(incoming);
  if (!request) return undefined;
  const { id } = request;
  const { data, error } = InitializeRequestSchema.safeParse(request);
  if (!data) return { id, flaw: error.issues.slice(0, MOST_FLAWS).map(inWords).join('; ') };
  if (JSON.stringify(data.params).length > LONGEST_INTRODUCTION) return { id, flaw: 'params is too long' };
  return { protocolVersion: negotiate(data.params.protocolVersion), params: data.params };
}

const MOST_FLAWS = 5;

const inWords = ({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string =>
  `${path.join('.')}: ${message.replace(/^Invalid input: /, '')}`;

/** The id of the request that a `notifications/cancelled` cancels, and the reason. */
export function cancellation(message: JSONRPCMessage): { id: RequestId; reason?: string } | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const { requestId, reason } = message.params ?? {};
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return undefined;
  return { id: requestId, ...(typeof reason === 'string' && { reason }) };
}
