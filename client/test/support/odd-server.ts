/** Owns an HTTP server for odd answers: a test says what each request gets, or that it is one of an MCP server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Results = Readonly<Record<string, object>>;
type Answer = (req: IncomingMessage, res: ServerResponse) => void;

export interface OddServer extends AsyncDisposable {
  readonly url: string;
}

/** @param answer to whatever is sent to `/mcp`; everything else is a 404 */
export async function startOddServer(answer: Answer): Promise<OddServer> {
  const server = createServer((req, res) => (req.url === '/mcp' ? answer(req, res) : void res.writeHead(404).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @param results by method; a method without one does not exist */
export const speaking =
  (results: Results): Answer =>
  async (req, res) => {
    const { id, method } = JSON.parse((await text(req)) || '{}');
    if (id === undefined) return void res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const result = results[method];
    const body = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
  };

/** The results of a server of 2025-11-25. */
export const opened = (capabilities: object, serverInfo: object = { name: 'Odd', version: '1' }): Results => ({
  initialize: { protocolVersion: '2025-11-25', capabilities, serverInfo },
});
