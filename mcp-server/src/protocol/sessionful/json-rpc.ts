/** Owns the reading of JSON-RPC 2.0 from a request body (MCP basic/transports). */

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
  /** Those of the messages that want an answer. */
  readonly requests: readonly JSONRPCRequest[];
  /** Whether they came as an array (JSON-RPC batch, MCP 2025-03-26 only). */
  readonly batch: boolean;
}

/**
 * `undefined` when any part is not JSON-RPC 2.0 as MCP takes it. What says nothing is taken out of the body.
 * @param most messages of a batch; those of a longer one are not looked at
 */
export function readMessages(body: unknown, most: number): Incoming | 'too_many' | undefined {
  const batch = Array.isArray(body);
  const messages: readonly unknown[] = batch ? body : [body];
  if (messages.length > most) return 'too_many';
  messages.forEach(dropAbsent);
  if (messages.length === 0 || !messages.every(isMessage)) return undefined;
  return { messages, requests: messages.filter(isRequest), batch };
}

/** What a client hears of a body that could not be read: of the first part that is no message. */
export function unreadable(body: unknown): { readonly flaw: string | undefined; readonly id: RequestId | undefined } {
  const part = Array.isArray(body) ? body.find((one) => !isMessage(one)) : body;
  return { flaw: flawOf(part), id: idOf(part) };
}

/** Whether two of the requests have one id, or one has an id that is running. */
export function repeatsId({ requests }: Incoming, isRunning: (id: RequestId) => boolean): boolean {
  const ids = new Set(requests.map(({ id }) => id));
  return ids.size < requests.length || requests.some(({ id }) => isRunning(id));
}

/** Asked with the checks of the SDK: what they refuse, its server would never answer. */
const isMessage = (value: unknown): value is JSONRPCMessage =>
  isPlainRequest(value) || (flawOf(value) === undefined && isCanonical(value));

const isCanonical = (value: unknown): boolean =>
  isJSONRPCRequest(value) ||
  isJSONRPCNotification(value) ||
  isJSONRPCResultResponse(value) ||
  isJSONRPCErrorResponse(value);

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** What nearly every message is, known at a hundredth of the price of a schema; whatever is not plain is asked of the SDK. */
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

/** MCP lifecycle, version negotiation: the client's revision if it is known here, else the newest. */
const negotiate = (requested: string): string =>
  SESSION_REVISIONS.includes(requested) ? requested : LATEST_PROTOCOL_VERSION;

/** Characters of what a client says of itself: every session keeps it, and a person may have a thousand of them. */
const LONGEST_INTRODUCTION = 65_536;

/** An `initialize` that nothing can be agreed upon with. */
export interface Unagreed {
  readonly id: RequestId;
  /** What is wrong with its parameters, in words. */
  readonly flaw: string;
}

/** What a message agrees upon, if it is an `initialize` (MCP lifecycle, "Initialization"). */
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

/** The request that a `notifications/cancelled` calls off, and why. */
export function cancellation(message: JSONRPCMessage): { id: RequestId; reason?: string } | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const { requestId, reason } = message.params ?? {};
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return undefined;
  return { id: requestId, ...(typeof reason === 'string' && { reason }) };
}
