/** Owns an OAuth client in a test that can send correct requests, and each of them with one deliberate error. */
import { createHash, randomBytes } from 'node:crypto';
import { Person } from './person.ts';
import type { Stack } from './stack.ts';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
  readonly expires_in: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; empty where there is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

export async function send(url: string | URL, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = /^application\/(.+\+)?json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : {} };
}

export const postJson = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

export const REDIRECT_URI = 'http://127.0.0.1:33418/callback';

export class OAuthClient {
  readonly stack: Stack;
  readonly id: string;
  readonly verifier = randomBytes(32).toString('base64url');

  private constructor(stack: Stack, id: string) {
    this.stack = stack;
    this.id = id;
  }

  static async register(stack: Stack, metadata: object = {}): Promise<OAuthClient> {
    const { status, json, text } = await postJson(`${stack.authUrl}/register`, {
      client_name: 'Sample client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
      ...metadata,
    });
    if (status !== 201) throw new Error(`registration answered ${status}: ${text}`);
    return new OAuthClient(stack, String(json.client_id));
  }

  /** The authorization request; a parameter that is `undefined` is left out. */
  authorizationUrl(parameters: Record<string, string | undefined> = {}): URL {
    const url = new URL('/authorize', this.stack.authUrl);
    const all: Record<string, string | undefined> = {
      client_id: this.id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'client-state',
      resource: `${this.stack.mcpUrl}/mcp`,
      scope: 'mcp:tools',
      ...parameters,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  async code(parameters: Record<string, string | undefined> = {}, person = new Person()): Promise<string> {
    const called = await person.signIn(this.authorizationUrl(parameters), REDIRECT_URI);
    const code = called.searchParams.get('code');
    if (!code) throw new Error(`no code in ${called}`);
    return code;
  }

  /** Posts a form as this client. */
  post(path: string, parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams({ client_id: this.id, ...parameters });
    return send(`${this.stack.authUrl}${path}`, { method: 'POST', body, headers });
  }

  token(parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/token', parameters, headers);
  }

  redeem(code: string, parameters: Record<string, string> = {}): Promise<Answer> {
    return this.token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: this.verifier,
      ...parameters,
    });
  }

  refresh(
    refreshToken: string,
    parameters: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...parameters }, headers);
  }

  async tokens(parameters: Record<string, string | undefined> = {}, person = new Person()): Promise<Tokens> {
    const { status, json, text } = await this.redeem(await this.code(parameters, person));
    if (status !== 200) throw new Error(`/token answered ${status}: ${text}`);
    return json as unknown as Tokens;
  }
}

/** Opens a session at the MCP server with plain requests. */
export class McpSession {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;

  private constructor(url: string, headers: Record<string, string>) {
    this.url = url;
    this.headers = headers;
  }

  static async open(url: string, accessToken: string): Promise<McpSession> {
    const authorization = { authorization: `Bearer ${accessToken}` };
    const { status, headers, text } = await postJson(url, initialize(), authorization);
    const id = headers.get('mcp-session-id');
    if (status !== 200 || !id) throw new Error(`initialize answered ${status}: ${text}`);
    const session = new McpSession(url, { ...authorization, 'mcp-session-id': id });
    await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  post(message: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return postJson(this.url, message, { ...this.headers, ...headers });
  }

  call(name: string, input: object, headers: Record<string, string> = {}, id: number | string = 1): Promise<Answer> {
    return this.post({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input } }, headers);
  }
}

export const initialize = (protocolVersion = '2025-11-25') => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'sample', version: '1' } },
});
