/** Owns an MCP server of a test that has only HTTP+SSE (MCP 2024-11-05), with the authorization server of a healthy site. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Site, startSite } from './site.ts';

/** What is wrong with the server. */
export interface Faults {
  /** The token is checked before the method, so that a POST without one is answered 401, as by Streamable HTTP. */
  readonly tokenFirst?: boolean;
  /** No token is needed. */
  readonly open?: boolean;
  /** Another authorization server. */
  readonly issuer?: string;
  readonly noCors?: boolean;
  /** The stream begins with a comment. */
  readonly greeting?: boolean;
  /** Changes the endpoint for messages in the first event; undefined leaves the event out. */
  readonly endpoint?: (path: string, origin: string) => string | undefined;
  /** The status of the n-th message that is posted; undefined is the right one. */
  readonly posted?: (n: number) => number | undefined;
  /** Answers do not reach the stream. */
  readonly silent?: boolean;
}

export interface HttpSseSite extends AsyncDisposable {
  readonly url: string;
  token(): Promise<string>;
  /** The methods of the messages that were posted. */
  readonly posted: string[];
}

const RESULTS: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'Old', version: '1' } },
  ping: {},
  'tools/list': { tools: [{ name: 'roll', inputSchema: { type: 'object' } }] },
};

export async function startHttpSseSite(faults: Faults = {}): Promise<HttpSseSite> {
  const streams = new Map<string, ServerResponse>();
  const posted: string[] = [];
  let issuer: Site;
  const listener = async (req: IncomingMessage, res: ServerResponse) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', origin);
    if (!faults.noCors) res.setHeader('access-control-allow-origin', '*');
    res.setHeader('access-control-expose-headers', 'WWW-Authenticate');
    if (req.method === 'OPTIONS')
      return void res
        .writeHead(204, { 'access-control-allow-headers': 'Authorization, Content-Type, Mcp-Protocol-Version' })
        .end();
    if (pathname === '/.well-known/oauth-protected-resource/sse')
      return void json(res, 200, {
        resource: `${origin}/sse`,
        authorization_servers: [faults.issuer ?? issuer.origin],
      });
    const body = await text(req);
    const denied = !faults.open && !req.headers.authorization;
    if (pathname === '/sse' && req.method !== 'GET' && !(denied && faults.tokenFirst))
      return void res.writeHead(404, { 'content-type': 'text/html' }).end('<pre>Cannot POST /sse</pre>');
    if (denied) {
      const metadata = `${origin}/.well-known/oauth-protected-resource/sse`;
      res.setHeader('www-authenticate', `Bearer resource_metadata="${metadata}"`);
      return void json(res, 401, {});
    }
    if (pathname === '/sse') return openStream(res);
    const stream = streams.get(searchParams.get('session') ?? '');
    if (pathname !== '/messages' || !stream) return void json(res, 404, { error: 'no such session' });
    const { id, method } = JSON.parse(body);
    posted.push(method);
    const status = faults.posted?.(posted.length);
    if (status) return void json(res, status, { error: 'no such session' });
    res.writeHead(202).end('Accepted');
    const answer = { jsonrpc: '2.0', id, result: RESULTS[method] };
    if (id !== undefined && !faults.silent) stream.write(`event: message\ndata: ${JSON.stringify(answer)}\n\n`);
  };

  function openStream(res: ServerResponse): void {
    const id = randomUUID();
    streams.set(id, res);
    res.once('close', () => streams.delete(id));
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    if (faults.greeting) res.write(': welcome\n\n');
    const path = `/messages?session=${id}`;
    const endpoint = faults.endpoint ? faults.endpoint(path, origin) : path;
    res.write(endpoint === undefined ? ': hello\n\n' : `event: endpoint\ndata: ${endpoint}\n\n`);
  }

  const server = createServer((req, res) => void listener(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  issuer = await startSite();
  return {
    url: `${origin}/sse`,
    posted,
    token: () => issuer.token({ aud: `${origin}/sse` }),
    [Symbol.asyncDispose]: async () => {
      await issuer[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (res: ServerResponse, status: number, body: object): void => {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
