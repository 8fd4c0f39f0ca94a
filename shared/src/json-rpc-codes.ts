/**
 * Owns the codes of JSON-RPC errors: those of JSON-RPC 2.0 §5.1, and those that MCP and its SDKs take from the range of servers. A
 * client acts on them, so each is written once.
 */

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** A request that does not run because of a limit. */
export const LIMIT_REACHED = -32000;
/** A request over HTTP that is refused before it is read as JSON-RPC, as the SDKs answer it. */
export const BAD_REQUEST = -32000;
/** A request that ran when its access token was revoked. */
export const TOKEN_REVOKED = -32000;
/** A request that ran when it turned out to need a scope, after its answer had begun. */
export const INSUFFICIENT_SCOPE = -32000;
/** A session that has ended, or never was, as the SDKs answer it. */
export const SESSION_NOT_FOUND = -32001;

/** MCP 2025-11-25 server/resources, "Error Handling". */
export const RESOURCE_NOT_FOUND = -32002;
/** MCP 2025-11-25 client/elicitation, "URL Elicitation Required". */
export const URL_ELICITATION_REQUIRED = -32042;
/** MCP 2026-07-28 basic, "Error Codes". */
export const HEADER_MISMATCH = -32020;
export const MISSING_CLIENT_CAPABILITY = -32021;
