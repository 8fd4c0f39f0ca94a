/** Owns a request and its response in the types of Node, for ports that know no framework; a Koa context is one. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface HttpExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}
