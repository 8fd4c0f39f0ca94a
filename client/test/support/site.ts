/**
 * Owns a healthy MCP server with its authorization server in a test, at one origin, over real HTTP or HTTPS; and a proxy in front of
 * it that breaks one thing.
 */
import { randomUUID } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { CERTIFICATES } from '../../../auth-server/test/support/client-host.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The method of the JSON-RPC message, if there is one. */
  readonly rpc: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The answer is a stream that stays open. */
  readonly open?: boolean;
}

/** What the proxy does to an answer; with `undefined` it holds the answer back. */
export type Fault = (answer: Answer, asked: Asked, site: Site) => Answer | undefined;

export interface Site extends AsyncDisposable {
  readonly origin: string;
  /** The URL of the MCP server. */
  readonly url: string;
  /** An access token; a claim that is `undefined` is left out. */
  token(claims?: JWTPayload): Promise<string>;
  readonly asked: readonly Asked[];
}

const KEYS = await generateKeyPair('ES256');
const JWK = { ...(await exportJWK(KEYS.publicKey)), kid: 'site', alg: 'ES256', use: 'sig' };

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Mcp-Session-Id',
};
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers': 'Authorization, Content-Type, Mcp-Protocol-Version, Mcp-Session-Id',
};

export interface Place {
  readonly host?: string;
  readonly certificate?: { readonly key: Buffer | string; readonly cert: Buffer | string };
}

export async function startSite(
  fault: Fault = (answer) => answer,
  secure = false,
  { host = '127.0.0.1', certificate = CERTIFICATES }: Place = {},
): Promise<Site> {
  const asked: Asked[] = [];
  const sessions = new Set<string>();
  const listener = (req: IncomingMessage, res: ServerResponse) =>
    void text(req).then((body) => {
      const { method = '', url: path = '', headers } = req;
      const rpc = body.startsWith('{') ? (JSON.parse(body) as { method?: string }).method : undefined;
      const one = { method, path, headers, rpc };
      asked.push(one);
      const answer = fault(answerOf(one, site.origin, sessions), one, site);
      if (answer) write(res, answer);
    });
  const server = secure ? createHttps(certificate, listener) : createHttp(listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const origin = secure ? `https://localhost:${port}` : `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const site: Site = {
    origin,
    url: `${origin}/mcp`,
    asked,
    token: (claims = {}) =>
      new SignJWT({ iss: origin, aud: `${origin}/mcp`, sub: 'alice', client_id: 'c', scope: 'mcp:tools', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'site', typ: 'at+jwt' })
        .setIssuedAt()
        .setExpirationTime(claims.exp ?? '5m')
        .sign(KEYS.privateKey),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return site;
}

function write(res: ServerResponse, { status, headers, body, open }: Answer): void {
  const isText = typeof body === 'string' || body === undefined;
  res.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...headers });
  if (open) res.flushHeaders();
  else res.end(isText ? body : JSON.stringify(body));
}

function answerOf(asked: Asked, origin: string, sessions: Set<string>): Answer {
  const { method, path } = asked;
  if (method === 'OPTIONS') return { status: 204, headers: { ...CORS, ...PREFLIGHT } };
  if (path === '/mcp') return mcp(asked, origin, sessions);
  const document = documents(origin)[path];
  return document ? { status: 200, headers: CORS, body: document } : { status: 404, headers: CORS, body: 'none' };
}

const documents = (origin: string): Readonly<Record<string, object>> => ({
  '/.well-known/oauth-protected-resource/mcp': { resource: `${origin}/mcp`, authorization_servers: [origin] },
  '/.well-known/oauth-authorization-server': {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    jwks_uri: `${origin}/jwks`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  },
  '/jwks': { keys: [JWK] },
});

function mcp({ method, headers, rpc }: Asked, origin: string, sessions: Set<string>): Answer {
  const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
  if (!headers.authorization)
    return {
      status: 401,
      headers: { ...CORS, 'www-authenticate': `Bearer resource_metadata="${metadata}"` },
      body: {},
    };
  if (rpc === 'initialize') {
    const id = randomUUID();
    sessions.add(id);
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'Site', version: '1' },
    };
    return { status: 200, headers: { ...CORS, 'mcp-session-id': id }, body: { jsonrpc: '2.0', id: 1, result } };
  }
  const id = headers['mcp-session-id'];
  if (id === undefined) return { status: 400, headers: CORS, body: { error: 'Mcp-Session-Id is missing' } };
  if (!sessions.has(String(id))) return { status: 404, headers: CORS, body: { error: 'Session not found' } };
  if (method === 'GET') return { status: 200, headers: { ...CORS, 'content-type': 'text/event-stream' }, open: true };
  if (method === 'DELETE') return { status: 204, headers: CORS };
  if (rpc?.startsWith('notifications/')) return { status: 202, headers: CORS };
  const result = rpc === 'tools/list' ? { tools: [{ name: 'roll' }] } : {};
  return { status: 200, headers: CORS, body: { jsonrpc: '2.0', id: 1, result } };
}
