/** Proves that our error codes are those of the specifications, as the SDKs define them. */
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  MISSING_CLIENT_CAPABILITY,
  PARSE_ERROR,
} from '@mcp-oauth/shared/json-rpc-codes';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';

describe('JSON-RPC 2.0 §5.1 error codes', () => {
  it.each([
    ['ParseError', PARSE_ERROR],
    ['InvalidRequest', INVALID_REQUEST],
    ['MethodNotFound', METHOD_NOT_FOUND],
    ['InvalidParams', INVALID_PARAMS],
    ['InternalError', INTERNAL_ERROR],
  ] as const)('%s has the number that both SDKs give it', (name, code) => {
    expect([ErrorCode[name], ProtocolErrorCode[name]]).toEqual([code, code]);
  });

  it('a missing capability of a client has the number that the SDK gives it', () => {
    expect(MISSING_CLIENT_CAPABILITY).toBe(ProtocolErrorCode.MissingRequiredClientCapability);
  });
});
