/**
 * Proves what bad input gets: the standard error and no change; never a stack trace, a crash or a hang. Real processes
 * over real HTTP; `predecessors.test.ts` has the defects of earlier systems.
 */
import { createHash } from 'node:crypto';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Forger, forger } from '../support/forge.ts';
import {
  type Answer,
  initialize,
  McpSession,
  OAuthClient,
  postJson,
  REDIRECT_URI,
  send,
  type Tokens,
} from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Stack } from '../support/stack.ts';

interface World {
  readonly stack: Stack;
  readonly client: OAuthClient;
  readonly tokens: Tokens;
  /** Of another person with a client of their own. */
  readonly foreign: Tokens;
  readonly session: McpSession;
  readonly forge: Forger;
}

interface Row {
  readonly title: string;
  run(world: World): Promise<Pick<Answer, 'status' | 'headers' | 'text' | 'json'>>;
  readonly status: number;
  /** The `error` member, or the JSON-RPC code. */
  readonly error?: string | number;
  /** In `WWW-Authenticate`. */
  readonly challenge?: string;
}

const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };
const mcp = ({ stack }: World) => `${stack.mcpUrl}/mcp`;
const withToken = (world: World, token: string) =>
  postJson(mcp(world), initialize(), { authorization: `Bearer ${token}` });
const badToken = (title: string, make: (world: World) => string | Promise<string>): Row => ({
  title: `RFC 6750 §3.1 ${title}`,
  run: async (world) => withToken(world, await make(world)),
  status: 401,
  error: 'invalid_token',
  challenge: 'error="invalid_token"',
});
const now = () => Math.floor(Date.now() / 1000);

const rows: readonly Row[] = [
  {
    title: 'JSON-RPC §5.1 malformed JSON',
    run: ({ session }) => session.post('{"jsonrpc": '),
    status: 400,
    error: -32700,
  },
  {
    title: 'JSON-RPC §4 JSON that is not a message',
    run: ({ session }) => session.post({ hello: 'world' }),
    status: 400,
    error: -32600,
  },
  ...['params', 'result', 'error'].map((member) => ({
    title: `JSON-RPC §4 a request whose ${member} is null is one without`,
    run: ({ session }: World) => session.post({ ...ping, [member]: null }),
    status: 200,
  })),
  ...[null, []].map((given) => ({
    title: `MCP tools/call with ${JSON.stringify(given)} for arguments, _meta and the cursor of a list`,
    run: async ({ session }: World) => {
      const list = await session.post({ ...ping, method: 'tools/list', params: { cursor: null, _meta: given } });
      expect(list.json.result, list.text).toMatchObject({ tools: expect.anything() });
      return session.post({
        ...ping,
        method: 'tools/call',
        params: { name: 'whoami', arguments: given, _meta: given },
      });
    },
    status: 200,
  })),
  {
    title: 'JSON-RPC §5 params that are no object, with the id and the member',
    run: async ({ session }) => {
      const answer = await session.post({ ...ping, id: 'mine', params: 'x' });
      expect(answer.json).toMatchObject({ id: 'mine', error: { message: expect.stringContaining('params') } });
      return answer;
    },
    status: 400,
    error: -32600,
  },
  {
    title: 'MCP Session Management: an initialize with the id of an ended session',
    run: async ({ session }) => {
      const answer = await session.post(initialize(), { 'mcp-session-id': 'gone' });
      expect(answer.headers.get('mcp-session-id')).toMatch(/^[\w-]{32}$/);
      return answer;
    },
    status: 200,
  },
  {
    title: 'wrong content type at the MCP server',
    run: ({ session }) => session.post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 415,
    error: 'invalid_request',
  },
  {
    title: 'a body over 1 MiB at the MCP server',
    run: ({ session }) => session.post({ ...ping, params: { padding: 'x'.repeat(1_100_000) } }),
    status: 413,
    error: 'invalid_request',
  },
  {
    title: 'MCP transports: no session id',
    run: (world) => postJson(mcp(world), ping, { authorization: `Bearer ${world.tokens.access_token}` }),
    status: 400,
    error: -32000,
  },
  {
    title: 'MCP transports: an unknown session',
    run: ({ session }) => session.post(ping, { 'mcp-session-id': 'unknown' }),
    status: 404,
    error: -32001,
  },
  {
    title: 'MCP transports: a session of another owner',
    run: ({ session, foreign }) => session.post(ping, { authorization: `Bearer ${foreign.access_token}` }),
    status: 404,
    error: -32001,
  },
  {
    title: 'RFC 6750 §3 no token',
    run: (world) => postJson(mcp(world), ping),
    status: 401,
    error: 'unauthorized',
    challenge: 'resource_metadata=',
  },
  badToken('garbage', () => 'garbage'),
  badToken('an expired token', ({ forge }) => forge.sign({ iat: now() - 1200, exp: now() - 600 })),
  badToken('a token that is not valid yet', ({ forge }) => forge.sign({ nbf: now() + 600 })),
  badToken('a token for another audience', ({ forge }) => forge.sign({ aud: 'https://other.example/mcp' })),
  badToken('a token of another issuer', ({ forge }) => forge.sign({ iss: 'https://other.example' })),
  badToken('RFC 9068 §4 an ID token', ({ forge }) => forge.sign({}, { typ: 'JWT' })),
  badToken('alg none', ({ forge }) => forge.unsigned()),
  badToken('HS256 with the public key', ({ forge }) => forge.signWithPublicKey()),
  badToken('a signature of a strange key', ({ forge }) => forge.signWithStrangeKey()),
  badToken('an unknown kid', ({ forge }) => forge.sign({}, { kid: 'unknown' })),
  badToken('RFC 7800 a token bound to a key, presented as Bearer', ({ forge }) => forge.sign({ cnf: { jkt: 'x' } })),
  {
    title: 'RFC 6585 §5 a token of 53 KB',
    run: async (world) => withToken(world, await world.forge.sign({ padding: 'x'.repeat(40_000) })),
    status: 431,
    error: 'invalid_request',
  },
  {
    title: 'RFC 6750 §2.3 a token in the query',
    run: (world) => postJson(`${mcp(world)}?access_token=${world.tokens.access_token}`, initialize()),
    status: 400,
    error: 'invalid_request',
  },
  {
    title: 'MCP transports: a foreign Origin, before the token is looked at',
    run: (world) => postJson(mcp(world), ping, { origin: 'https://evil.example' }),
    status: 403,
  },
  {
    title: 'RFC 6750 §3.1 a call that needs a wider scope',
    run: ({ session }) => session.call('server_status', {}),
    status: 403,
    error: 'insufficient_scope',
    challenge: 'scope="mcp:admin mcp:tools"',
  },
  {
    title: 'RFC 7591 §3.2.2 malformed JSON at registration',
    run: ({ stack }) => postJson(`${stack.authUrl}/register`, '{"redirect_uris": ['),
    status: 400,
    error: 'invalid_request',
  },
  {
    title: 'RFC 7591 §3.2.2 an oversized registration',
    run: ({ stack }) => postJson(`${stack.authUrl}/register`, { client_name: 'x'.repeat(200_000) }),
    status: 413,
    error: 'invalid_request',
  },
  {
    title: 'RFC 7591 §5 a redirect URI on plain http',
    run: ({ stack }) => postJson(`${stack.authUrl}/register`, { redirect_uris: ['http://evil.example/cb'] }),
    status: 400,
    error: 'invalid_redirect_uri',
  },
  {
    title: 'RFC 6749 §3.2 JSON at the token endpoint',
    run: ({ stack }) => postJson(`${stack.authUrl}/token`, { grant_type: 'authorization_code' }),
    status: 400,
    error: 'invalid_request',
  },
  {
    title: 'RFC 6749 §5.2 an unknown client',
    run: ({ stack }) =>
      send(`${stack.authUrl}/token`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: 'nobody', grant_type: 'refresh_token', refresh_token: 'x' }),
      }),
    status: 401,
    error: 'invalid_client',
  },
  {
    title: 'RFC 6749 §5.2 an invented code',
    run: ({ client }) => client.redeem('never'),
    status: 400,
    error: 'invalid_grant',
  },
  {
    title: 'RFC 8707 §2.2 an unknown resource at refresh',
    run: async ({ client, tokens }) => {
      const refused = await client.refresh(tokens.refresh_token, { resource: 'https://other.example/' });
      const { status } = await client.refresh(tokens.refresh_token);
      expect(status).toBe(200);
      return refused;
    },
    status: 400,
    error: 'invalid_target',
  },
  {
    title: 'RFC 6749 §4.1.2.1 an unregistered redirect URI',
    run: async ({ client }) => page(client.authorizationUrl({ redirect_uri: 'https://evil.example/cb' })),
    status: 400,
  },
  {
    title: 'RFC 6749 §4.1.2.1 an unknown client at /authorize',
    run: async ({ client }) => page(client.authorizationUrl({ client_id: 'nobody' })),
    status: 400,
  },
  {
    title: 'an unknown path at auth-server',
    run: ({ stack }) => send(`${stack.authUrl}/nowhere`),
    status: 404,
    error: 'not_found',
  },
  {
    title: 'an unknown path at mcp-server',
    run: ({ stack }) => send(`${stack.mcpUrl}/nowhere`),
    status: 404,
    error: 'not_found',
  },
  {
    title: 'an unknown well-known document at mcp-server',
    run: ({ stack }) => send(`${stack.mcpUrl}/.well-known/oauth-protected-resource/other`),
    status: 404,
    error: 'not_found',
  },
];

async function page(url: URL): Promise<Answer> {
  const { status, headers, body } = await new Person().request(url);
  expect(headers.get('location')).toBeNull();
  return { status, headers, text: body, json: {} };
}

describe('bad input', () => {
  let world: World;

  beforeAll(async () => {
    const stack = await Stack.start();
    const client = await OAuthClient.register(stack);
    const tokens = await client.tokens();
    const foreign = await (await OAuthClient.register(stack)).tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, tokens.access_token);
    world = { stack, client, tokens, foreign, session, forge: await forger(stack) };
  });
  afterAll(() => world?.stack[Symbol.asyncDispose]());

  it.each(rows)('bad input: $title is answered with $status', async ({ run, status, error, challenge }) => {
    const answer = await run(world);
    expect(answer.status, answer.text).toBe(status);
    if (typeof error === 'string') expect(answer.json.error).toBe(error);
    if (typeof error === 'number') expect(answer.json.error).toMatchObject({ code: error });
    if (challenge) expect(answer.headers.get('www-authenticate')).toContain(challenge);
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d+|\bat \w+ \(/);
  });

  it('a forged token without any flaw is accepted', async () => {
    expect((await withToken(world, await world.forge.sign())).status).toBe(200);
  });

  it('bad input leaves sessions and tokens unchanged', async () => {
    const { json } = await world.session.call('whoami', {});
    expect(json).toMatchObject({ result: { structuredContent: { scopes: ['mcp:tools'] } } });
  });

  it('bad input causes no crash and no error in the log', () => {
    // Matches the level, and not a word in a message.
    expect(world.stack.run.output).not.toMatch(/ [0-9:]+ (error|fatal) /);
  });
});

describe('bad authorization requests', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start({ REFRESH_GRACE: '0s' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it.each([
    [
      'RFC 7636 §4.4.1 no challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['RFC 9700 §2.1.1 the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['RFC 9700 §2.1.2 the implicit grant', { response_type: 'token' }, 'unsupported_response_type'],
    ['RFC 8707 §2 an unknown resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
  ])(
    'an authorization request with %s returns to the client as an error with state and iss',
    async (_, asked, error) => {
      const client = await OAuthClient.register(stack);
      const { status, headers } = await new Person().request(client.authorizationUrl(asked));
      const location = new URL(headers.get('location') ?? '');
      expect(status).toBe(303);
      expect(location.href.startsWith(REDIRECT_URI)).toBe(true);
      // The answer to an implicit request belongs in the fragment.
      const parameters = location.hash ? new URLSearchParams(location.hash.slice(1)) : location.searchParams;
      expect(Object.fromEntries(parameters)).toMatchObject({
        error,
        state: 'client-state',
        iss: stack.authUrl,
      });
    },
  );

  it('RFC 6749 §4.1.2 a code that is used twice is refused, and all its tokens are revoked', async () => {
    const client = await OAuthClient.register(stack);
    const code = await client.code();
    const first = await client.redeem(code);
    const second = await client.redeem(code);
    expect([first.status, second.status, second.json.error]).toEqual([200, 400, 'invalid_grant']);
    const refreshed = await client.refresh(String(first.json.refresh_token));
    expect([refreshed.status, refreshed.json.error]).toEqual([400, 'invalid_grant']);
  });

  it('RFC 7636 §4.6 a wrong verifier is refused', async () => {
    const client = await OAuthClient.register(stack);
    const answer = await client.redeem(await client.code(), { code_verifier: 'x'.repeat(43) });
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_grant']);
  });

  it('RFC 9700 §4.14.2 a reused refresh token ends the grant', async () => {
    const client = await OAuthClient.register(stack);
    const { refresh_token: first } = await client.tokens();
    const { json } = await client.refresh(first);
    expect((await client.refresh(first)).json.error).toBe('invalid_grant');
    expect((await client.refresh(String(json.refresh_token))).json.error).toBe('invalid_grant');
    await stack.run.says('security');
  });

  it('RFC 6749 §10.12 a forged, replayed or foreign callback shows a page and changes nothing', async () => {
    const client = await OAuthClient.register(stack);
    const callback = `${stack.authUrl}/callback/development`;
    const person = new Person();
    const first = await person.open(client.authorizationUrl(), REDIRECT_URI);
    if (first instanceof URL) throw new Error('no page came');
    const idp = await person.press(first, /Continue with/, REDIRECT_URI);
    if (idp instanceof URL) throw new Error('no upstream page came');
    const answer = await person.press(idp, /Alice/, callback);
    if (!(answer instanceof URL)) throw new Error('the upstream did not answer');

    expect((await person.request(`${callback}?code=x&state=forged`)).status).toBe(400);
    expect((await new Person().request(answer)).status, 'another browser').toBe(400);
    const end = await person.open(answer, REDIRECT_URI);
    expect(end instanceof URL && end.searchParams.get('code'), 'its owner still can').toBeTruthy();
    const replay = await person.request(answer);
    expect([replay.status, replay.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    expect(replay.body).not.toMatch(/node_modules|\.ts:\d+/);
  });

  it('RFC 6749 §4.1.2.1 a denial at the upstream goes to the client as access_denied', async () => {
    const client = await OAuthClient.register(stack);
    const person = new Person();
    const first = await person.open(client.authorizationUrl(), REDIRECT_URI);
    if (first instanceof URL) throw new Error('no page came');
    const idp = await person.press(first, /Continue with/, REDIRECT_URI);
    if (idp instanceof URL) throw new Error('no upstream page came');
    const end = await person.press(idp, /Cancel/, REDIRECT_URI);
    expect(end instanceof URL && Object.fromEntries(end.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'client-state',
      iss: stack.authUrl,
    });
  });

  it('RFC 6749 §4.1.2.1 an upstream outage goes to the client as temporarily_unavailable', async () => {
    const [port] = await freePorts(1);
    await using lonely = await Stack.start({
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: `http://localhost:${port}`,
      CONNECTOR_ACME_CLIENT_ID: 'x',
      CONNECTOR_ACME_CLIENT_SECRET: 'y',
    });
    const client = await OAuthClient.register(lonely);
    const person = new Person();
    const first = await person.open(client.authorizationUrl(), REDIRECT_URI);
    if (first instanceof URL) throw new Error('no page came');
    const end = await person.press(first, /Continue with/, REDIRECT_URI);
    expect(end instanceof URL && Object.fromEntries(end.searchParams)).toMatchObject({
      error: 'temporarily_unavailable',
      state: 'client-state',
      iss: lonely.authUrl,
    });
  });

  it('secrets are stored as hashes: the store contains nothing that can be used', async () => {
    const client = await OAuthClient.register(stack);
    const { refresh_token } = await client.tokens();
    const { readFileSync, readdirSync } = await import('node:fs');
    const files = readdirSync(stack.dataDir)
      .map((name) => readFileSync(`${stack.dataDir}/${name}`, 'latin1'))
      .join('');
    expect(files).not.toContain(refresh_token);
    expect(files).toContain(createHash('sha256').update(refresh_token).digest('base64url'));
  });
});
