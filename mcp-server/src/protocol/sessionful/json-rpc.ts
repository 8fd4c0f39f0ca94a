/** Owns the reading of JSON-RPC 2.0 messages from a request body (MCP basic/transports). */

import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import { isObject } from '@mcp-oauth/shared/json';
import {
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  RELATED_TASK_META_KEY,
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
  if (!Array.isArray(body)) {
    dropAbsent(body);
    if (!isMessage(body)) return undefined;
    return { messages: [body], requests: isRequest(body) ? [body] : [], batch: false };
  }
  const messages: readonly unknown[] = body;
  if (messages.length > most) return 'too_many';
  messages.forEach(dropAbsent);
  if (messages.length === 0 || !messages.every(isMessage)) return undefined;
  return { messages, requests: messages.filter(isRequest), batch: true };
}

/** The flaw and the id of the first part of a body that is not a message. */
export function unreadable(body: unknown): { readonly flaw: string | undefined; readonly id: RequestId | undefined } {
  const part = Array.isArray(body) ? body.find((one) => !isMessage(one)) : body;
  return { flaw: flawOf(part), id: idOf(part) };
}

interface RunningRequests {
  isRunning(session: string, id: RequestId): boolean;
}

/** Whether two of the requests have the same id, or one has the id of a running request. */
export function repeatsId({ requests }: Incoming, session: string, running: RunningRequests): boolean {
  if (requests.length > 1 && new Set(requests.map(({ id }) => id)).size < requests.length) return true;
  return requests.some(({ id }) => running.isRunning(session, id));
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
  if (!isObject(params) || !isPlainMeta(params._meta)) return false;
  for (const member in value) if (!MEMBERS.has(member)) return false;
  return true;
}

/** The only members that the schema restricts are the progress token and the related task. */
const isPlainMeta = (meta: unknown): boolean =>
  meta === undefined ||
  (isObject(meta) &&
    (meta.progressToken === undefined || isId(meta.progressToken)) &&
    !(RELATED_TASK_META_KEY in meta));

export const isRequest = (message: JSONRPCMessage): message is JSONRPCRequest => 'method' in message && 'id' in message;

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

/**
 * Agreements by the text of the parameters: every session of one kind of client begins with the same, reading them costs more than the
 * rest of the request, and all those sessions can share one copy.
 */
const agreements = new BoundedMap<string, Agreement>(256);

/** Maximum characters of the parameters of which an agreement is kept. */
const USUAL_INTRODUCTION = 2_048;

/** The result of the negotiation if a message is an `initialize` (MCP lifecycle, "Initialization"). */
export function agreement({ requests }: Incoming): Agreement | Unagreed | undefined {
  const request = requests.find(({ method }) => method === 'initialize');
  if (!request) return undefined;
  const text = JSON.stringify(request.params ?? null);
  const known = agreements.get(text);
  if (known) return known;
  const { data, error } = InitializeRequestSchema.safeParse(request);
  const { id } = request;
  if (!data) return { id, flaw: error.issues.slice(0, MOST_FLAWS).map(inWords).join('; ') };
  if (JSON.stringify(data.params).length > LONGEST_INTRODUCTION) return { id, flaw: 'params is too long' };
  const agreed = { protocolVersion: negotiate(data.params.protocolVersion), params: data.params };
  if (text.length <= USUAL_INTRODUCTION) agreements.set(text, agreed);
  return agreed;
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
