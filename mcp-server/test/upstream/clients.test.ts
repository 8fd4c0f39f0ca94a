/** Proves how a person connects an account while a call waits, with real clients of both SDK generations and with clients that can't. */

import { scrape } from '@mcp-oauth/shared/testing/scrape';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readChallenge } from '../support/http-harness.ts';
import { call, initialize } from '../support/protocol-harness.ts';
import { callTool, probes, textOf } from './probe.ts';
import { documentAt, LOGINS, profileOf, SECRETS, type Stage, startStage } from './stage.ts';

let stage: Stage;
let probing: Stage;
beforeAll(async () => {
  [stage, probing] = await Promise.all([startStage(), startStage({}, { catalog: probes })]);
});
afterAll(() => Promise.all([stage[Symbol.asyncDispose](), probing[Symbol.asyncDispose]()]));
beforeEach(() => {
  for (const one of [stage, probing]) {
    one.clock.advance(61);
    one.accounts.clear();
    one.asked.length = one.log.length = 0;
    one.answer = undefined;
    one.paths.set('/user', profileOf(LOGINS));
  }
});

const PAGES = { capabilities: { elicitation: { url: {} } } };
const PAGE = /^http:\/\/127\.0\.0\.1:\d+\/connect\/handle-of-a-link$/;

const headersFor = async (one: Stage) => ({
  requestInit: { headers: { authorization: `Bearer ${await one.token('ada')}` } },
});

type Action = 'accept' | 'decline' | 'cancel';

/** A client of the second generation, whose person connects the account and then answers. */
async function modern(one: Stage, mode: { pin: string } | 'legacy', action: Action = 'accept') {
  const client = new ModernClient({ name: 'test', version: '0' }, { ...PAGES, versionNegotiation: { mode } });
  const shown: unknown[] = [];
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    shown.push(params);
    if (action === 'accept') one.accounts.set('ada', SECRETS.ofAda);
    return { action };
  });
  await client.connect(new ModernTransport(new URL(`${one.url}/mcp`), await headersFor(one)));
  return { client, shown };
}

/** The same of the first generation. */
async function classic(one: Stage, options = PAGES, action: Action = 'accept') {
  const client = new Client({ name: 'test', version: '0' }, options);
  const shown: unknown[] = [];
  const completed: unknown[] = [];
  if (options === PAGES) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      shown.push(params);
      if (action === 'accept') one.accounts.set('ada', SECRETS.ofAda);
      return { action };
    });
  }
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => void completed.push(params));
  const transport = new StreamableHTTPClientTransport(new URL(`${one.url}/mcp`), await headersFor(one));
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return { client, shown, completed };
}

describe('clients that show pages', () => {
  it('MCP 2026-07-28 basic/patterns/mrtr: a call that waits ends its round when the server stops, with nothing to answer', async () => {
    await using stopping = await startStage();
    stopping.accounts.clear();
    const capabilities = PAGES.capabilities;
    const first = (await callTool(stopping, 'github_profile', {}, { capabilities })).body.result;
    const more = { inputResponses: { 'connect-github': { action: 'accept' } }, requestState: first.requestState };
    const asked = stopping.asked.length;
    const waiting = callTool(stopping, 'github_profile', {}, { capabilities, more });
    await expect.poll(() => stopping.asked.length).toBeGreaterThan(asked);
    stopping.drain();
    const { result } = (await waiting).body;
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    expect(result.inputRequests).toBeUndefined();
  });

  it('MCP 2026-07-28 client/elicitation: the page is an input that is required, and the call goes on when it comes again', async () => {
    const { client, shown } = await modern(stage, { pin: '2026-07-28' });
    const result = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(result.structuredContent).toMatchObject({ login: 'ada-at-github', public_repositories: 2 });
    expect(shown).toEqual([
      { mode: 'url', url: expect.stringMatching(PAGE), message: expect.stringContaining('github') },
    ]);
    // The client came back with an answer, so no second page was made.
    expect(stage.asked.map(({ form }) => form.interaction)).toEqual([undefined, 'none']);
    await client.close();
  });

  it('MCP 2025-11-25 client/elicitation: the client is asked while the call runs, and told when the account is connected', async () => {
    const { client, shown, completed } = await classic(stage);
    const result = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(result.structuredContent).toMatchObject({ login: 'ada-at-github' });
    expect(shown).toEqual([
      { mode: 'url', url: expect.stringMatching(PAGE), message: expect.any(String), elicitationId: expect.any(String) },
    ]);
    expect(completed).toEqual([{ elicitationId: (shown[0] as { elicitationId: string }).elicitationId }]);
    await client.close();
  });

  it('MCP 2025-11-25 client/elicitation: a client of the second generation is asked in a session too', async () => {
    const { client, shown } = await modern(stage, 'legacy');
    const result = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(result.structuredContent).toMatchObject({ login: 'ada-at-github' });
    expect(shown).toEqual([expect.objectContaining({ mode: 'url', elicitationId: expect.any(String) })]);
    await client.close();
  });

  it('an account whose token the upstream refuses is connected anew, and the request is sent again', async () => {
    stage.accounts.set('ada', 'gho_revoked');
    const { client, shown } = await classic(stage);
    const result = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(result.structuredContent).toMatchObject({ login: 'ada-at-github' });
    expect(shown).toHaveLength(1);
    await client.close();
  });

  it.each(['2026-07-28', '2025-11-25'])(
    'two requests that need the same account ask for it once (MCP %s)',
    async (revision) => {
      const mode = revision === '2026-07-28' ? { pin: revision } : ('legacy' as const);
      const { client, shown } = await modern(probing, mode);
      expect(textOf({ result: await client.callTool({ name: 'both', arguments: {} }) })).toBe('200,200');
      expect(shown).toHaveLength(1);
      await client.close();
    },
  );

  it('MCP 2026-07-28 client/elicitation: an account that is refused again in a later round gets a page of its own', async () => {
    stage.accounts.set('ada', 'gho_revoked');
    const client = new ModernClient(
      { name: 'test', version: '0' },
      { ...PAGES, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const shown: unknown[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(Object(params).url);
      // The first account that is connected is refused too.
      stage.accounts.set('ada', shown.length === 1 ? 'gho_revoked_too' : SECRETS.ofAda);
      return { action: 'accept' };
    });
    await client.connect(new ModernTransport(new URL(`${stage.url}/mcp`), await headersFor(stage)));
    const first = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(textOf({ result: first })).toContain('does not accept the connection of the user any more');
    stage.accounts.clear();
    stage.clock.advance(61);
    shown.length = 0;
    const second = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(second.structuredContent ?? textOf({ result: second })).toMatchObject({ login: 'ada-at-github' });
    expect(shown).toEqual([expect.stringMatching(PAGE), expect.stringMatching(PAGE)]);
    await client.close();
  });

  it('MCP 2026-07-28 client/elicitation: a page for an account that was refused is shown once, also if the call comes again elsewhere', async () => {
    stage.accounts.set('ada', 'gho_revoked');
    const client = new ModernClient(
      { name: 'test', version: '0' },
      { ...PAGES, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const shown: unknown[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(params);
      // The issuer has ended the account, and no memory of its token is left, as at another replica.
      stage.accounts.clear();
      stage.clock.advance(61);
      return { action: 'accept' };
    });
    stage.answer = ({ form }) => {
      if (form.interaction === 'none') stage.accounts.set('ada', SECRETS.ofAda);
      return undefined;
    };
    await client.connect(new ModernTransport(new URL(`${stage.url}/mcp`), await headersFor(stage)));
    const { structuredContent } = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(structuredContent).toMatchObject({ login: 'ada-at-github' });
    expect(shown).toHaveLength(1);
    await client.close();
  });

  it.each(['decline', 'cancel'] as const)(
    'a person who answers %s does not connect, and the model reads that',
    async (action) => {
      const old = await classic(stage, PAGES, action);
      const answers = [await old.client.callTool({ name: 'github_profile', arguments: {} })];
      const { client } = await modern(stage, { pin: '2026-07-28' }, action);
      answers.push((await client.callTool({ name: 'github_profile', arguments: {} })) as (typeof answers)[number]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ isError: true, content: [{ text: 'The user declined to connect github.' }] });
      }
      await Promise.all([client.close(), old.client.close()]);
    },
  );

  it.each(['2026-07-28', '2025-11-25'])(
    'a tool that asks again after the person has declined makes no other page (MCP %s)',
    async (revision) => {
      const mode = revision === '2026-07-28' ? { pin: revision } : ('legacy' as const);
      const { client, shown } = await modern(probing, mode, 'decline');
      const result = await client.callTool({ name: 'insistent', arguments: {} });
      expect(textOf({ result })).toBe('The user declined to connect github.');
      expect(shown).toHaveLength(1);
      expect(probing.asked.filter(({ form }) => form.interaction === undefined)).toHaveLength(1);
      await client.close();
    },
  );

  it('MCP 2025-11-25 client/elicitation: -32042 with the page, if the client takes no message before the answer', async () => {
    const onlyJson = new StreamableHTTPClientTransport(new URL(`${stage.url}/mcp`), {
      ...(await headersFor(stage)),
      fetch: (url, init) => {
        const headers = new Headers(init?.headers);
        if (init?.method === 'POST') headers.set('accept', 'application/json');
        return fetch(url, { ...init, headers });
      },
    });
    const narrow = new Client({ name: 'test', version: '0' }, PAGES);
    await narrow.connect(onlyJson as Parameters<Client['connect']>[0]);
    const error = await narrow.callTool({ name: 'github_profile', arguments: {} }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UrlElicitationRequiredError);
    expect((error as UrlElicitationRequiredError).elicitations).toEqual([
      { mode: 'url', url: expect.stringMatching(PAGE), message: expect.any(String), elicitationId: expect.any(String) },
    ]);
    await narrow.close();
  });
});

describe('clients that show no pages', () => {
  it('RFC 6750 §3.1 a client of 2026-07-28 gets 403 with the scope whose approval connects the account', async () => {
    const { status, challenge, sentText } = await callTool(stage, 'github_profile');
    expect(status).toBe(403);
    expect(readChallenge(new Response(null, { headers: { 'www-authenticate': challenge } }))).toMatchObject({
      error: 'insufficient_scope',
      scope: 'mcp:tools upstream:github',
    });
    expect(challenge).toContain(`resource_metadata="${stage.url}/.well-known/oauth-protected-resource/mcp"`);
    expect(sentText).not.toContain('/connect/');
    expect(stage.log.join('')).toContain('insufficient_scope');
  });

  it('RFC 6750 §3.1 a client with a session gets 403 with that scope too, and can go on using the session', async () => {
    const { client } = await classic(stage, { capabilities: {} } as typeof PAGES);
    const call = () => client.callTool({ name: 'github_profile', arguments: {} });
    await expect(call()).rejects.toMatchObject({ code: 403 });
    stage.accounts.set('ada', SECRETS.ofAda);
    expect((await call()).structuredContent).toMatchObject({ login: 'ada-at-github' });
    await client.close();
  });

  it('scopes that the caller has stay in the challenge, and those of upstreams are in no list of scopes', async () => {
    const document = await documentAt(stage, '/.well-known/oauth-protected-resource/mcp');
    expect(document.scopes_supported).toEqual(['mcp:admin', 'mcp:tools']);
    const authorization = `Bearer ${await stage.token('ada', { scope: 'mcp:tools mcp:admin upstream:github unknown' })}`;
    const { challenge } = await callTool(stage, 'github_profile', {}, { headers: { authorization } });
    expect(challenge).toContain('scope="mcp:admin mcp:tools upstream:github"');
    const other = `Bearer ${await stage.token('ada', { scope: 'mcp:tools upstream:github' })}`;
    const wider = await callTool(stage, 'server_status', {}, { headers: { authorization: other } });
    expect(wider.challenge).toContain('scope="mcp:admin mcp:tools upstream:github"');
  });

  it('the metrics count exchanges by what the issuer answered, and a call without the account as refused', async () => {
    await using counted = await startStage({ METRICS_PORT: '0' });
    const { status } = await callTool(counted, 'github_profile', {}, { subject: 'nobody' });
    expect(status).toBe(403);
    const { values } = await scrape(counted.metrics);
    expect(values.get('mcp_upstream_exchanges_total{upstream="github",outcome="interaction"}')).toBe(1);
    expect(values.get('mcp_requests_total{method="tools/call",result="refused"}')).toBe(1);
  });

  it('a resource that needs the account is asked for in the same ways', async () => {
    const old = await classic(probing, { capabilities: {} } as typeof PAGES);
    await expect(old.client.readResource({ uri: 'account://me' })).rejects.toMatchObject({ code: 403 });
    const { client, shown } = await modern(probing, { pin: '2026-07-28' });
    const { contents } = await client.readResource({ uri: 'account://me' });
    expect(JSON.stringify(contents)).toContain('ada-at-github');
    expect(shown).toHaveLength(1);
    await Promise.all([client.close(), old.client.close()]);
  });

  it('a JSON-RPC error says the same in a batch, whose answers share one HTTP answer (MCP 2025-03-26)', async () => {
    const headers = {
      authorization: `Bearer ${await probing.token('ada')}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const send = (message: unknown, session = '') =>
      fetch(`${probing.url}/mcp`, {
        method: 'POST',
        headers: { ...headers, ...(session && { 'mcp-session-id': session }) },
        body: JSON.stringify(message),
      });
    const opened = await send(initialize('2025-03-26'));
    const session = opened.headers.get('mcp-session-id') ?? '';
    const answer = await send([call(1, 'holder'), call(2, 'idle')], session);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/"code":-32000[^\n]*insufficient_scope/);
  });

  it('a JSON-RPC error says the same once an answer has begun', async () => {
    const old = await classic(probing, { capabilities: {} } as typeof PAGES);
    const params = { name: 'late', arguments: {} };
    const said = old.client.callTool(params, undefined, { onprogress: () => {} });
    const expected = { code: -32000, data: { error: 'insufficient_scope', scope: 'upstream:github' } };
    await expect(said).rejects.toMatchObject(expected);
    await old.client.close();
  });

  it('a JSON-RPC error says the same over HTTP+SSE, whose answers come on a stream', async () => {
    const client = new Client({ name: 'test', version: '0' });
    const transport = new SSEClientTransport(new URL(`${stage.url}/sse`), await headersFor(stage));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    const said = client.callTool({ name: 'github_profile', arguments: {} });
    await expect(said).rejects.toMatchObject({ code: -32000, data: { scope: 'upstream:github' } });
    await client.close();
  });

  it('a tool may do without the account', async () => {
    expect(textOf((await callTool(probing, 'modest')).body)).toBe('without the account');
    probing.accounts.set('ada', SECRETS.ofAda);
    expect(textOf((await callTool(probing, 'modest')).body)).toBe('with the account');
  });

  it('an issuer of another product, which names no page, makes the tool fail and asks for no scope of ours', async () => {
    stage.answer = () => ({ status: 400, body: { error: 'interaction_required' } });
    for (const options of [PAGES, {}]) {
      const { status, body } = await callTool(stage, 'github_profile', {}, options);
      expect([status, body.result.isError]).toEqual([200, true]);
    }
  });

  it('no page is made for a client that could not show it', async () => {
    await callTool(stage, 'github_profile');
    expect(stage.asked.map(({ form }) => form.interaction)).toEqual(['none']);
  });
});

describe('tools of an upstream', () => {
  it('the tools of GitHub are there only if UPSTREAMS names it', async () => {
    await using without = await startStage({ UPSTREAMS: '' });
    const names = async (one: Stage) => {
      const { client } = await modern(one, { pin: '2026-07-28' });
      const { tools } = await client.listTools();
      await client.close();
      return tools.map(({ name }) => name).filter((name) => name.startsWith('github'));
    };
    expect(await names(stage)).toEqual(['github_profile', 'github_repositories']);
    expect(await names(without)).toEqual([]);
  });

  it('the repositories of the person are listed as the schema says, and no more than were asked for', async () => {
    stage.accounts.set('ada', SECRETS.ofAda);
    const repository = (name: string) => ({
      ...{ full_name: `ada/${name}`, html_url: `https://github.com/ada/${name}`, private: name === 'b' },
      ...{ description: null, language: 'TypeScript', pushed_at: '2026-01-01T00:00:00Z', clone_url: 'not shown' },
    });
    stage.paths.set('/user/repos', () => ({ status: 200, body: ['a', 'b', 'c'].map(repository) }));
    const { body } = await callTool(stage, 'github_repositories', { limit: 2, owned: true });
    expect(body.result.structuredContent.repositories).toEqual([
      {
        name: 'ada/a',
        url: 'https://github.com/ada/a',
        private: false,
        language: 'TypeScript',
        pushed_at: '2026-01-01T00:00:00Z',
      },
      {
        name: 'ada/b',
        url: 'https://github.com/ada/b',
        private: true,
        language: 'TypeScript',
        pushed_at: '2026-01-01T00:00:00Z',
      },
    ]);
    expect(stage.called.at(-1)?.url).toBe('/user/repos?per_page=2&sort=pushed&affiliation=owner');
  });

  it.each([
    [403, { 'x-ratelimit-remaining': '0' }, 'allows no more requests'],
    [403, {}, 'has not allowed this server to read it'],
    [500, {}, 'GitHub answered 500'],
    [200, {}, 'in a form that this tool does not know'],
  ])('an answer %i of GitHub is said in words', async (status, headers, expected) => {
    stage.accounts.set('ada', SECRETS.ofAda);
    stage.paths.set('/user', () => ({ status, headers, body: { message: 'gho_canary' } }));
    const { body, sentText } = await callTool(stage, 'github_profile');
    expect(textOf(body)).toContain(expected);
    expect(sentText).not.toContain('gho_canary');
  });

  it('an answer of GitHub that is too long is no fault of this server', async () => {
    stage.accounts.set('ada', SECRETS.ofAda);
    stage.paths.set('/user', () => ({ status: 200, body: `"${'x'.repeat(4 * 1024 * 1024)}"` }));
    const { body } = await callTool(stage, 'github_profile');
    expect(textOf(body)).toBe('The answer of GitHub could not be read. Try again later.');
    expect(stage.log.join('')).not.toContain('request failed');
  });
});
