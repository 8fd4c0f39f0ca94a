/** Owns the reading of JSON-RPC 2.0 from a request body (MCP basic/transports). */

import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import {
  type InitializeRequest,
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  LATEST_PROTOCOL_VERSION,
  type RequestId,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../authorization/principal.ts';

/** Newest first. */
export const REVISIONS: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS;

export interface Incoming {
  readonly messages: readonly JSONRPCMessage[];
  /** Those of the messages that want an answer. */
  readonly requests: readonly JSONRPCRequest[];
  /** Whether they came as an array (JSON-RPC batch, MCP 2025-03-26 only). */
  readonly batch: boolean;
}

/** `undefined` when any part is not JSON-RPC 2.0 as MCP takes it. */
export function readMessages(body: unknown): Incoming | undefined {
  const batch = Array.isArray(body);
  const messages: readonly unknown[] = batch ? body : [body];
  if (messages.length === 0 || !messages.every(isMessage)) return undefined;
  return { messages, requests: messages.filter(isRequest), batch };
}

/** Whether two of the requests have one id, or one has an id that `running` knows. */
export function repeatsId({ requests }: Incoming, running: { has(id: RequestId): boolean }): boolean {
  const ids = new Set(requests.map(({ id }) => id));
  return ids.size < requests.length || requests.some(({ id }) => running.has(id));
}

/** Asked with the checks of the SDK: what they refuse, its server would never answer. */
const isMessage = (value: unknown): value is JSONRPCMessage =>
  isJSONRPCRequest(value) ||
  isJSONRPCNotification(value) ||
  isJSONRPCResultResponse(value) ||
  isJSONRPCErrorResponse(value);

const isRequest = (message: JSONRPCMessage): message is JSONRPCRequest => 'method' in message && 'id' in message;

export const initializeOf = ({ requests }: Incoming): JSONRPCRequest | undefined =>
  requests.find(({ method }) => method === 'initialize');

/** `undefined` when the parameters are not those of an `initialize`. */
export const initializeParams = (request: JSONRPCRequest): InitializeRequest['params'] | undefined =>
  InitializeRequestSchema.safeParse(request).data?.params;

/** MCP lifecycle, version negotiation: the client's revision if it is known here, else the newest. */
export const negotiate = (requested: string): string =>
  REVISIONS.includes(requested) ? requested : LATEST_PROTOCOL_VERSION;

/** The request that a `notifications/cancelled` calls off. */
export function cancelledId(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const { requestId } = message.params ?? {};
  return requestId as RequestId | undefined;
}

/** How the SDK carries who is calling to the handlers; the token's bytes stay behind. */
export const authInfoOf = (principal: Principal): AuthInfo => ({
  token: '',
  clientId: principal.clientId,
  scopes: [...principal.scopes],
  expiresAt: principal.expiresAt,
  extra: { principal },
});
