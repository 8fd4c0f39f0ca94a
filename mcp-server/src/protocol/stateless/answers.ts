/** Owns the writing of answers as one JSON object, and the conversion of failures to errors (MCP 2026-07-28 basic). */
import type { ServerResponse } from 'node:http';
import { answer, JSON_ANSWER } from '@mcp-oauth/shared/http/answer';
import { INTERNAL_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import { RpcError } from '../call.ts';
import type { McpRequest } from '../endpoints.ts';
import { MissingCapability } from '../methods/questions/missing-capability.ts';
import { ConnectionNeeded, scopeNeeded } from '../methods/upstreams/connection-needed.ts';
import { missingCapability, RequestError } from './request-errors.ts';

/** An error as it is sent. */
export interface Failure {
  readonly status: number;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** A failure of a method has HTTP status 200: the transport has worked. */
export function failureOf(cause: unknown, method: string, { principal, log }: McpRequest): Failure {
  const error = asRpcError(cause);
  if (error instanceof RpcError) {
    const { code, message, data } = error;
    const status = error instanceof RequestError ? error.status : 200;
    return { status, error: { code, message, ...(data !== undefined && { data }) } };
  }
  log.error({ err: error, method, subject: principal.subject, client: principal.clientId }, 'request failed');
  return { status: 200, error: { code: INTERNAL_ERROR, message: 'Internal error' } };
}

/** The errors that methods throw for an era to express. */
function asRpcError(cause: unknown): unknown {
  if (cause instanceof MissingCapability) return missingCapability(cause.message, cause.required);
  return cause instanceof ConnectionNeeded ? scopeNeeded(cause) : cause;
}

/** Seconds after which a client may send a refused request again (RFC 9110 §10.2.3). */
const RETRY_AFTER = '10';
const LATER = [...JSON_ANSWER, 'Retry-After', RETRY_AFTER];

export function writeJson(res: ServerResponse, status: number, text: string): void {
  if (res.destroyed || res.headersSent) return;
  answer(res, status, status === 503 || status === 429 ? LATER : JSON_ANSWER, text);
}
