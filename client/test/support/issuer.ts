/**
 * Owns a small MCP server with an authorization server that has device codes (RFC 8628) and rotates refresh tokens strictly: a refresh
 * token that comes twice ends the sign-in, as RFC 9700 §4.14.2 allows.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Issuer extends AsyncDisposable {
  /** The URL of the MCP server. */
  readonly url: string;
  /** Issuers that the MCP server names before this one. */
  readonly others: string[];
  /** What the token endpoint answers to polls before it gives tokens. */
  readonly pending: { error: string }[];
  /** Parameters of every request with a form. */
  readonly forms: {
    readonly path: string;
    readonly fields: Readonly<Record<string, string>>;
    /** The header of that name, if there was one. */
    readonly authorization?: string;
  }[];
  /** How a client may authenticate itself at the token endpoint; undefined: the metadata does not say. */
  authMethods: readonly string[] | undefined;
  /** The secret without which the token endpoint refuses everything. */
  secret: string | undefined;
  readonly registrations: unknown[];
  /** Members of the answer to a registration that are replaced. */
  registered: Readonly<Record<string, unknown>>;
  /** The access tokens that are accepted. */
  readonly valid: Set<string>;
  /** How often tokens were renewed. */
  renewed: number;
  /** Members of its documents that are replaced, by the path of the document. */
  readonly replaced: Record<string, Readonly<Record<string, unknown>>>;
  /** Resolves when so many requests were refused for their token. */
  refuses(times: number): Promise<void>;
  /** Called before tokens are renewed. */
  beforeRenewal: () => Promise<void>;
  /** What the person has to enter. */
  userCode: string;
  /** Whether the MCP server refuses every token. */
  refusing: boolean;
  /** Whether the token endpoint answers with the page of a proxy. */
  failing: boolean;
  /** Whether a refresh token came twice. */
  reused: boolean;
  /** The answer of the tool. */
  answer: (token: string) => object;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export async function startIssuer(): Promise<Issuer> {
  let refused = 0;
  const waiting: { readonly times: number; readonly resolve: () => void }[] = [];
  const refreshTokens = new Map<string, 'new' | 'used'>();
  const server = createServer(async (req, res) => {
    const sent = await text(req);
    if (sent.includes('grant_type=refresh_token')) await issuer.beforeRenewal();
    const { status, headers, body } = answerTo(req, sent);
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: Issuer = {
    url: `${origin}/mcp`,
    others: [],
    pending: [],
    forms: [],
    registrations: [],
    registered: {},
    valid: new Set(),
    renewed: 0,
    reused: false,
    userCode: 'WDJB-MJHT',
    refusing: false,
    failing: false,
    authMethods: ['none'],
    secret: undefined,
    beforeRenewal: async () => {},
    replaced: {},
    refuses: (times) => new Promise((resolve) => waiting.push({ times: refused + times, resolve })),
    answer: () => ({ content: [{ type: 'text', text: 'rolled 4' }] }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const documents: Readonly<Record<string, object>> = {
    '/.well-known/oauth-protected-resource/mcp': {
      resource: `${origin}/mcp`,
      get authorization_servers() {
        return [...issuer.others, origin];
      },
      scopes_supported: ['dice'],
    },
    '/.well-known/oauth-authorization-server': {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      device_authorization_endpoint: `${origin}/device`,
      registration_endpoint: `${origin}/register`,
      revocation_endpoint: `${origin}/revoke`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    },
  };

  const newTokens = (): Answer => {
    const [access, refresh] = [`access-${randomUUID()}`, `refresh-${randomUUID()}`];
    issuer.valid.add(access);
    refreshTokens.set(refresh, 'new');
    return {
      status: 200,
      body: { access_token: access, token_type: 'Bearer', refresh_token: refresh, scope: 'dice', expires_in: 60 },
    };
  };

  const tokenAnswer = (fields: Readonly<Record<string, string>>): Answer => {
    if (fields.grant_type !== 'refresh_token') {
      const error = issuer.pending.shift();
      return error ? { status: 400, body: error } : newTokens();
    }
    const state = refreshTokens.get(fields.refresh_token ?? '');
    if (state === 'used') issuer.reused = true;
    if (state !== 'new' || issuer.reused) return { status: 400, body: { error: 'invalid_grant' } };
    refreshTokens.set(fields.refresh_token ?? '', 'used');
    issuer.renewed += 1;
    return newTokens();
  };

  function answerTo({ url = '', method, headers }: IncomingMessage, sent: string): Answer {
    const document = documents[url];
    if (document) {
      const methods = { token_endpoint_auth_methods_supported: issuer.authMethods };
      return {
        status: 200,
        body: { ...document, ...('token_endpoint' in document && methods), ...issuer.replaced[url] },
      };
    }
    if (url === '/register') {
      const metadata = JSON.parse(sent);
      issuer.registrations.push(metadata);
      const id = `client-${issuer.registrations.length}`;
      return { status: 201, body: { ...metadata, client_id: id, ...issuer.registered } };
    }
    if (url.split('?')[0] === '/mcp') return mcp(method, headers.authorization?.slice('Bearer '.length) ?? '', sent);
    const fields = Object.fromEntries(new URLSearchParams(sent));
    const { authorization } = headers;
    issuer.forms.push({ path: url, fields, ...(authorization !== undefined && { authorization }) });
    const [, basic = ''] = /^Basic (\S+)$/.exec(authorization ?? '') ?? [];
    const given =
      fields.client_secret ?? decodeURIComponent(Buffer.from(basic, 'base64').toString().split(':')[1] ?? '');
    if (issuer.secret !== undefined && given !== issuer.secret)
      return { status: 401, body: { error: 'invalid_client' } };
    if (url === '/token' && issuer.failing) return { status: 503, body: 'unavailable' };
    if (url === '/token') return tokenAnswer(fields);
    if (url === '/revoke') return { status: 200 };
    if (url !== '/device') return { status: 404, body: {} };
    const at = { verification_uri: `${origin}/enter`, verification_uri_complete: `${origin}/enter?code=WDJB-MJHT` };
    return {
      status: 200,
      body: { device_code: 'device', user_code: issuer.userCode, expires_in: 600, interval: 1, ...at },
    };
  }

  function mcp(method: string | undefined, token: string, sent: string): Answer {
    if (!issuer.valid.has(token) || issuer.refusing) {
      refused += 1;
      for (const { times, resolve } of waiting) if (refused >= times) resolve();
      const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
      return { status: 401, headers: { 'www-authenticate': `Bearer resource_metadata="${metadata}"` }, body: {} };
    }
    if (method !== 'POST') return { status: 405, body: {} };
    const { id, method: asked, params } = JSON.parse(sent);
    if (id === undefined) return { status: 202 };
    const results: Readonly<Record<string, object>> = {
      initialize: {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'Dice', version: '1' },
      },
      'tools/list': {
        tools: [{ name: 'roll', inputSchema: { type: 'object', properties: { sides: { type: 'integer' } } } }],
      },
      'tools/call': issuer.answer(token),
    };
    const result = results[asked];
    const none = { code: -32601, message: 'Method not found' };
    return { status: 200, body: { jsonrpc: '2.0', id, ...(result ? { result } : { error: none }) } };
  }

  return issuer;
}
