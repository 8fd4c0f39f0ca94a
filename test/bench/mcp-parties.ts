/**
 * Owns the participants in the bench of mcp-server: one resource and issuer for all servers, one user per connection,
 * the same calls.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { signingKey, signToken, startIssuer } from '../../mcp-server/test/support/issuer.ts';
import { ENTRIES, type PublishedList, publishList } from '../../mcp-server/test/support/status-lists.ts';
import { post } from './wire.ts';

export const ORIGIN = 'http://localhost:8080';
export const RESOURCE = `${ORIGIN}/mcp`;
const CONNECTIONS = 50;
const SESSION_REVISION = '2025-11-25';
const STATELESS_REVISION = '2026-07-28';

export interface Parties extends AsyncDisposable {
  readonly issuer: string;
  /** One access token (ES256) per connection. */
  readonly tokens: readonly string[];
  /** The same tokens, each with a reference into the status list of the issuer. */
  readonly referring: readonly string[];
  readonly list: PublishedList;
  /** Tokens that no server has seen. */
  fresh(count: number): Promise<string[]>;
}

const TOKEN_LIFETIME = 3600;

export async function meet(count = CONNECTIONS): Promise<Parties> {
  const issuer = await startIssuer();
  const key = await signingKey('bench');
  issuer.keys.push(key.publicJwk);
  const now = Math.floor(Date.now() / 1000);
  const list = await publishList({ issuer, key }, systemClock);
  const sign = (n: number, more: object) => {
    const who = { sub: `user-${n % count}`, client_id: 'bench', jti: `token-${n}` };
    const about = { iss: issuer.url, aud: RESOURCE, scope: 'mcp:tools', iat: now, exp: now + TOKEN_LIFETIME };
    return signToken({ key, claims: { ...about, ...who, ...more } });
  };
  const signAll = (total: number, start: number, more: (n: number) => object) =>
    Promise.all(Array.from({ length: total }, (_, n) => sign(start + n, more(n))));
  // Tokens may share an entry: none is marked.
  const entryOf = (n: number) => list.status(n % ENTRIES);
  let signed = count;
  const fresh = (total: number) => {
    const start = signed;
    signed += total;
    return signAll(total, start, entryOf);
  };
  const tokens = await signAll(count, 0, () => ({}));
  const referring = await signAll(count, 0, entryOf);
  return { issuer: issuer.url, tokens, referring, list, fresh, [Symbol.asyncDispose]: issuer.close };
}

export const requestHeaders = (token: string): Record<string, string> => ({
  Host: 'localhost:8080',
  Authorization: `Bearer ${token}`,
  Accept: 'application/json, text/event-stream',
});

const message = (id: number, method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

const clientInfo = { name: 'bench', version: '1.0.0' };

export const initializeMessage = message(0, 'initialize', {
  protocolVersion: SESSION_REVISION,
  capabilities: {},
  clientInfo,
});

export const initialize = (token: string): string =>
  post({ path: '/mcp', headers: requestHeaders(token), body: initializeMessage });

export const sessionHeaders = (token: string, session: string): Record<string, string> => ({
  ...requestHeaders(token),
  'Mcp-Session-Id': session,
  'MCP-Protocol-Version': SESSION_REVISION,
});

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly progressToken?: number;
}

export const ECHO: ToolCall = { name: 'echo', arguments: { message: 'Hello' } };

/** Gives every request an id of its own. */
export function callInSession(token: string, session: string, { progressToken, ...call }: ToolCall): () => string {
  const headers = sessionHeaders(token, session);
  const meta = progressToken === undefined ? {} : { _meta: { progressToken } };
  let id = 0;
  return () => post({ path: '/mcp', headers, body: message(++id, 'tools/call', { ...call, ...meta }) });
}

export function callStateless(token: string, { progressToken, ...call }: ToolCall): () => string {
  const headers = { ...statelessHeaders(token, 'tools/call'), 'Mcp-Name': call.name };
  const _meta = { ...statelessMeta, ...(progressToken !== undefined && { progressToken }) };
  let id = 0;
  return () => post({ path: '/mcp', headers, body: message(++id, 'tools/call', { ...call, _meta }) });
}

/** The first page of the tools. */
export function listTools(token: string, session: string): () => string {
  const headers = sessionHeaders(token, session);
  let id = 0;
  return () => post({ path: '/mcp', headers, body: message(++id, 'tools/list', {}) });
}

/** A stream that receives change notifications and nothing else. */
export function listen(token: string): string {
  const params = { notifications: { toolsListChanged: true }, _meta: statelessMeta };
  const body = message(1, 'subscriptions/listen', params);
  return post({ path: '/mcp', headers: statelessHeaders(token, 'subscriptions/listen'), body });
}

const statelessHeaders = (token: string, method: string): Record<string, string> => ({
  ...requestHeaders(token),
  'MCP-Protocol-Version': STATELESS_REVISION,
  'Mcp-Method': method,
});

const statelessMeta = {
  'io.modelcontextprotocol/protocolVersion': STATELESS_REVISION,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
};
