/** Owns the HTTP answers to messages that are not accepted (MCP 2025-11-25 basic/transports; JSON-RPC 2.0 §5.1). */

import type { ServerResponse } from 'node:http';
import { answer, beginAnswer, JSON_ANSWER, listOf } from '@mcp-oauth/shared/http/answer';
import {
  BAD_REQUEST,
  INVALID_PARAMS,
  INVALID_REQUEST,
  LIMIT_REACHED,
  SESSION_NOT_FOUND,
} from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import { type LimitReached, RETRY_AFTER } from '../../allowance/limit.ts';
import { REVISIONS } from '../revisions.ts';
import { unreadable } from './json-rpc.ts';

export interface ErrorResponse {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with an HTTP error and a JSON-RPC error as its body; without an id the error belongs to no request. */
export function refuse(
  res: ServerResponse,
  { status, code, message, data, headers = {} }: ErrorResponse,
  id: string | number | null = null,
): void {
  const error = { code, message, ...(data !== undefined && { data }) };
  answer(res, status, [...JSON_ANSWER, ...listOf(headers)], jsonText({ jsonrpc: '2.0', error, id }));
}

/**
 * Answers a body that is not a message or contains a part that is not. The error has the id of that part if it has
 * one, and names the invalid member.
 */
export function refuseUnreadable(res: ServerResponse, body: unknown): void {
  const { flaw, id } = unreadable(body);
  refuse(res, invalidMessage(flaw), id);
}

export function accept(res: ServerResponse): void {
  beginAnswer(res, 202, ['Content-Length', '0']).end();
}

const invalidMessage = (flaw: string | undefined): ErrorResponse => ({
  status: 400,
  code: INVALID_REQUEST,
  message: `The body is not a JSON-RPC 2.0 message as MCP defines it${flaw === undefined ? '' : `: ${flaw}`}`,
});

export const NO_BATCHES: ErrorResponse = {
  status: 400,
  code: INVALID_REQUEST,
  message: "Batches are only supported in MCP 2025-03-26, and can't contain initialize",
};

export const REPEATED_ID: ErrorResponse = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'A request with this id is still running in this session',
};

export const invalidInitialize = (flaw: string): ErrorResponse => ({
  status: 400,
  code: INVALID_PARAMS,
  message: `The parameters of initialize are not valid: ${flaw}`,
});

export const ALREADY_INITIALIZED: ErrorResponse = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'This session is initialized; send initialize without Mcp-Session-Id to open another one',
};

export const SESSION_MISSING: ErrorResponse = {
  status: 400,
  code: BAD_REQUEST,
  message: 'Mcp-Session-Id header is required; send initialize first',
};

/** The same answer for unknown, ended and foreign sessions. */
export const SESSION_UNKNOWN: ErrorResponse = { status: 404, code: SESSION_NOT_FOUND, message: 'Session not found' };

export const EVENT_UNKNOWN: ErrorResponse = {
  status: 400,
  code: BAD_REQUEST,
  message: 'Last-Event-ID is unknown in this session, or its stream is no longer stored',
};

/** The same as an answer to a request that was running. @param id of the only request; absent for a batch */
export const gone = (id: string | number | undefined): string =>
  jsonText({ jsonrpc: '2.0', error: { code: SESSION_NOT_FOUND, message: 'Session not found' }, id: id ?? null });

/** A response to a request that the server did not send to this session, or has cancelled. */
export const NOT_ASKED: ErrorResponse = {
  status: 404,
  code: INVALID_REQUEST,
  message: 'No request of the server with this id is open in this session',
};

/** RFC 9110 §15.6.4: the storage that the replicas share is unavailable. */
export const STORAGE_AWAY: ErrorResponse = {
  status: 503,
  code: BAD_REQUEST,
  message: "The server's storage is temporarily unavailable; please try again",
  headers: { 'Retry-After': '2' },
};

export const NOT_ACCEPTABLE: ErrorResponse = {
  status: 406,
  code: BAD_REQUEST,
  message: 'Accept has to list application/json and text/event-stream (for a GET: text/event-stream)',
};

export const METHOD_NOT_ALLOWED: ErrorResponse = {
  status: 405,
  code: BAD_REQUEST,
  message: 'Method not allowed',
  headers: { Allow: 'GET, POST, DELETE' },
};

export const UNSUPPORTED_REVISION: ErrorResponse = {
  status: 400,
  code: BAD_REQUEST,
  message: `Unsupported MCP-Protocol-Version; supported: ${REVISIONS.join(', ')}`,
  data: { supported: REVISIONS },
};

/** RFC 9110 §15.5.14 */
export const tooManyMessages = (reached: LimitReached): ErrorResponse => ({
  status: 413,
  code: INVALID_REQUEST,
  ...reached,
});

/** RFC 6585 §4: a limit of this person or this session. */
export const tooManyRequests = (reached: LimitReached, retryAfter = RETRY_AFTER): ErrorResponse => ({
  status: 429,
  code: LIMIT_REACHED,
  ...reached,
  headers: { 'Retry-After': retryAfter },
});

/** RFC 9110 §15.6.4: a limit of this server. */
export const noCapacity = (reached: LimitReached): ErrorResponse => ({
  status: 503,
  code: LIMIT_REACHED,
  ...reached,
  headers: { 'Retry-After': '10' },
});
