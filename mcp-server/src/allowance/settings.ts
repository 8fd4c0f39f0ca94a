/** Owns the settings of the limits for one request and one person on a replica: messages, running requests, memory. */
import { setting } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';

const KIB = 1_024;
const MIB = 1_048_576;

export const allowanceSettings = {
  maxMessageBytes: setting({
    env: 'MAX_MESSAGE_BYTES',
    doc: 'Maximum size of the body of one POST, in bytes.',
    type: type.integer(16 * KIB, 64 * MIB),
    default: String(MIB),
  }),
  maxMessageElements: setting({
    env: 'MAX_MESSAGE_ELEMENTS',
    doc: 'Maximum number of JSON values in the body of one POST: members of objects and items of arrays, at every level.',
    type: type.integer(100, 1_000_000),
    default: '20000',
  }),
  maxBatchMessages: setting({
    env: 'MAX_BATCH_MESSAGES',
    doc: 'Maximum number of messages in one JSON-RPC batch (MCP 2025-03-26 only).',
    type: type.integer(1, 100),
    default: '100',
  }),
  maxAnswerBytes: setting({
    env: 'MAX_ANSWER_BYTES',
    doc: 'Maximum size of one JSON-RPC response, in bytes. The client gets an error instead of a larger one.',
    type: type.integer(64 * KIB, 256 * MIB),
    default: String(4 * MIB),
  }),
  maxCallsPerSession: setting({
    env: 'MAX_CALLS_PER_SESSION',
    doc: 'Maximum number of concurrent requests per session on one replica.',
    type: type.integer(1, 100_000),
    default: '100',
  }),
  maxCallsPerPrincipal: setting({
    env: 'MAX_CALLS_PER_PRINCIPAL',
    doc: 'Maximum number of concurrent requests per person on one replica, across all clients, sessions and revisions of MCP.',
    type: type.integer(1, 100_000),
    default: '200',
  }),
  maxBytesPerPrincipal: setting({
    env: 'MAX_BYTES_PER_PRINCIPAL',
    doc: 'Maximum memory per person on one replica, in bytes, for request bodies and for responses that the client has not read yet.',
    type: type.integer(MIB, 4_096 * MIB),
    default: String(16 * MIB),
  }),
} as const;
