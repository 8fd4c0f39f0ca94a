/** Owns the errors for requests that are not accepted (MCP 2026-07-28 basic, "Error Codes", and Streamable HTTP). */
import {
  HEADER_MISMATCH,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  LIMIT_REACHED,
  METHOD_NOT_FOUND,
  MISSING_CLIENT_CAPABILITY,
  TOKEN_REVOKED,
} from '@mcp-oauth/shared/json-rpc-codes';
import {
  CLIENT_CAPABILITIES_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  UnsupportedProtocolVersionError,
} from '@modelcontextprotocol/server';
import type { LimitReached } from '../../allowance/limit.ts';
import { RpcError } from '../call.ts';
import { REVISIONS } from '../revisions.ts';

/** An error for a request that is refused before it runs, with its HTTP status. */
export class RequestError extends RpcError {
  readonly status: number;

  constructor(status: number, { code, message, data }: { code: number; message: string; data?: unknown }) {
    super(code, message, data);
    this.status = status;
  }
}

/** @param flaw description of the invalid member */
export const notOneMessage = (flaw: string | undefined): RequestError =>
  new RequestError(400, {
    code: INVALID_REQUEST,
    message: flaw === undefined ? ONE_MESSAGE : `${ONE_MESSAGE}: ${flaw}`,
  });

const ONE_MESSAGE = 'The body has to be one JSON-RPC 2.0 request or notification, not a batch or a response';

export const incompleteMeta = (key: string): RequestError =>
  new RequestError(400, { code: INVALID_PARAMS, message: `Invalid params: _meta needs a valid ${key}`, data: { key } });

export const noMeta = (): RequestError =>
  new RequestError(400, { code: INVALID_PARAMS, message: 'Invalid params: _meta is missing' });

export const noVersion = (): RequestError => incompleteMeta(PROTOCOL_VERSION_META_KEY);
export const noCapabilities = (): RequestError => incompleteMeta(CLIENT_CAPABILITIES_META_KEY);

export const unsupportedVersion = (requested: string): RequestError =>
  new RequestError(400, new UnsupportedProtocolVersionError({ supported: [...REVISIONS], requested }));

/** The message never repeats the header's value: it may be long, and the client knows it. */
export const headerMismatch = (header: string, problem: string): RequestError =>
  new RequestError(400, { code: HEADER_MISMATCH, message: `Header mismatch: ${header} ${problem}`, data: { header } });

export const unknownMethod = (): RequestError =>
  new RequestError(404, { code: METHOD_NOT_FOUND, message: 'Method not found' });

/** @param requiredCapabilities as the client has to declare them, such as `{ sampling: {} }` */
export const missingCapability = (message: string, requiredCapabilities: object): RequestError =>
  new RequestError(400, {
    code: MISSING_CLIENT_CAPABILITY,
    message,
    data: { requiredCapabilities },
  });

export const notAcceptable = (): RequestError =>
  new RequestError(406, {
    code: INVALID_REQUEST,
    message: 'Accept has to list application/json and text/event-stream',
  });

/** The request has begun, so it fails like one whose method fails. The next one gets a challenge. */
export const tokenRevoked = (): RpcError => new RpcError(TOKEN_REVOKED, 'The access token of this request was revoked');

/** RFC 6585 §4: a limit of this person. */
export const tooMany = (reached: LimitReached): RequestError =>
  new RequestError(429, { code: LIMIT_REACHED, ...reached });

/** RFC 9110 §15.6.4: a limit of this server. */
export const noCapacity = (reached: LimitReached): RequestError =>
  new RequestError(503, { code: LIMIT_REACHED, ...reached });

/** The storage is temporarily unavailable, or this replica is stopping. The client may send the same request again. */
export const tryAgain = (why: string): RequestError =>
  new RequestError(503, { code: INTERNAL_ERROR, message: `${why}; try again soon` });
