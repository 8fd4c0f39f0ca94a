/**
 * Owns the SDK's low-level server of a replica, one for all sessions: it answers `ping` and unknown methods, sends
 * requests to clients and waits for their responses. All other methods are this project's own and bypass it.
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { type Implementation, ResultSchema, type ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import type { ClientRequest } from '../../call.ts';
import { CAPABILITIES } from '../../capabilities.ts';

/** Milliseconds. A person needs time to read; a call must end at some time. */
const PATIENCE = 5 * 60_000;

export interface SessionServer extends Server {
  /** @param number of the running request for which the client is asked */
  ask(number: number, request: ClientRequest, signal: AbortSignal): Promise<unknown>;
}

export function createServer(serverInfo: Implementation): SessionServer {
  const server = new Server(serverInfo, {
    capabilities: CAPABILITIES,
    jsonSchemaValidator: new AjvJsonSchemaValidator(),
  });
  const ask: SessionServer['ask'] = (number, { method, params }, signal) =>
    server.request({ method, params } as ServerRequest, ResultSchema, {
      signal,
      timeout: PATIENCE,
      relatedRequestId: number,
    });
  return Object.assign(server, { ask });
}
