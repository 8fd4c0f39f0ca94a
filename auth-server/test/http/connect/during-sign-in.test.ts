/**
 * Proves the scope `upstream:<connector>`: the sign-in page shows it in words, its approval leads through the upstream, and a refusal
 * there leaves the scope out and nothing else (RFC 6749 §3.3).
 */
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { read } from '../../support/running-server.ts';
import {
  comeBackFrom,
  startWithTools,
  subjectOf,
  type ToolsServer,
  toolsUpstream,
} from '../../support/tools-connector.ts';

const SCOPE = 'mcp:tools upstream:github';

interface Asked {
  readonly running: ToolsServer;
  readonly browser: Browser;
  readonly client: TestClient;
}

async function start(running: ToolsServer): Promise<Asked> {
  return { running, browser: new Browser(running.server), client: await register(running.server) };
}

const ask = ({ browser, client }: Asked, scope = SCOPE) => browser.follow(authorizePath(client, { scope }));

/** Signs in with `acme` on the page. @returns where the browser is then */
async function signIn(asked: Asked, page: Response | undefined, fields: Readonly<Record<string, string>> = {}) {
  const { outside } = await asked.browser.submit(page, 'approve', { connector: 'acme', ...fields });
  return comeBackFrom(asked.browser, outside, { code: 'alice' });
}

async function scopeOf({ running: { server }, client }: Asked, answer: URL | undefined): Promise<unknown> {
  const tokens = await read(await redeem(server, client, answer?.searchParams.get('code') ?? ''));
  return decodeJwt(String(tokens.access_token)).scope;
}

const textIn = async (page: Response | undefined): Promise<string> => (await page?.clone().text()) ?? '';

describe('the scope upstream:<connector> on the sign-in page', () => {
  it('the page says which account at which upstream, what tools may do with it, and that the upstream asks as well', async () => {
    await using running = await startWithTools();
    const markup = await textIn((await ask(await start(running))).page);
    expect(markup).toContain('Use your account at <bdi>GitHub</bdi> with tools');
    expect(markup).toContain(
      '<li>Read your profile</li><li>Read and change your repositories, also the private ones</li>',
    );
    expect(markup).toContain('<bdi>GitHub</bdi> asks you as well, after this page.');
    expect(markup).toContain('name="scope" value="upstream:github"');
  });

  it('an approval leads through the sign-in, then through the upstream, and the token has the scope', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked)).page);
    expect(outside?.host).toBe('github.example');
    const end = await comeBackFrom(asked.browser, outside, { code: 'octocat' });
    expect(end.outside?.searchParams.has('code')).toBe(true);
    expect(await scopeOf(asked, end.outside)).toBe(SCOPE);
    expect(running.upstream.asked).toEqual([['read:user', 'repo']]);
    const made = running.server.entries.find(({ event }) => event === 'connection.made');
    expect(made).toMatchObject({ who: subjectOf('alice'), client: asked.client.id });
    const flows = new Set(running.server.entries.filter(({ flow }) => flow).map(({ flow }) => flow));
    expect(flows.size).toBe(1);
  });

  it('a person with a session approves with one click, and comes back from the upstream to the client', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    await signIn(asked, (await ask(asked, 'mcp:tools')).page);
    const { outside } = await asked.browser.submit((await ask(asked)).page, 'approve');
    expect(outside?.host).toBe('github.example');
    const end = await comeBackFrom(asked.browser, outside, { code: 'octocat' });
    expect(await scopeOf(asked, end.outside)).toBe(SCOPE);
  });

  it('an account that is connected already leads through no upstream, and a remembered approval shows no page', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    await comeBackFrom(asked.browser, (await signIn(asked, (await ask(asked)).page)).outside, { code: 'octocat' });
    expect((await ask(asked)).outside?.searchParams.has('code')).toBe(true);
    const other = { ...asked, client: await register(running.server) };
    const { outside } = await asked.browser.submit((await ask(other)).page, 'approve');
    expect(outside?.searchParams.has('code')).toBe(true);
    expect(running.upstream.asked.length).toBe(1);
  });

  it('a remembered approval shows the page again when the person has disconnected the account', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    await comeBackFrom(asked.browser, (await signIn(asked, (await ask(asked)).page)).outside, { code: 'octocat' });
    const token = tokenIn(await textIn(await openPage(asked.browser)));
    const body = new URLSearchParams({ token, connector: 'github' });
    expect((await asked.browser.visit('/account/disconnect', { method: 'POST', body })).status).toBe(303);
    const { page } = await ask(asked);
    expect(await textIn(page)).toContain('Use your account at');
    expect((await asked.browser.submit(page, 'approve')).outside?.host).toBe('github.example');
  });

  it.each([
    ['a refusal there', { error: 'access_denied' }],
    ['an upstream without an answer', { code: 'octocat' }],
    ['an upstream that gives less', { code: 'part' }],
  ])('RFC 6749 §3.3 %s leaves the scope out, and the rest goes on', async (what, answer) => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked)).page);
    running.upstream.isDown = what === 'an upstream without an answer';
    const end = await comeBackFrom(asked.browser, outside, answer);
    expect(await scopeOf(asked, end.outside)).toBe('mcp:tools');
    expect(await textIn((await ask(asked)).page)).toContain('Use your account at');
  });

  it('an upstream that is down at the departure leaves the scope out as well', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    running.upstream.isDown = true;
    const { outside } = await signIn(asked, (await ask(asked)).page);
    expect(await scopeOf(asked, outside)).toBe('mcp:tools');
  });

  it('RFC 6749 §4.1.2.1 a refusal at the upstream of a request for nothing else is access_denied', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked, 'upstream:github')).page);
    const end = await comeBackFrom(asked.browser, outside, { error: 'access_denied' });
    expect(end.outside?.searchParams.get('error')).toBe('access_denied');
  });

  it('a person who may not have the scope by the rules is not led to the upstream for nothing', async () => {
    await using running = await startWithTools({
      env: { SCOPE_RULES: 'mcp:tools=anyone; upstream:*=email:bob@acme.example' },
    });
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked)).page);
    expect(await scopeOf(asked, outside)).toBe('mcp:tools');
    expect(running.upstream.asked).toEqual([]);
  });

  it('rules that name no account leave the scope to everybody', async () => {
    await using running = await startWithTools({ env: { SCOPE_RULES: 'none' } });
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked)).page);
    expect(outside?.host).toBe('github.example');
  });

  it('a person who unticks the box connects nothing', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked)).page, { scope: '' });
    expect(await scopeOf(asked, outside)).toBe('mcp:tools');
    expect(running.upstream.asked).toEqual([]);
  });

  it('Deny connects nothing', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await asked.browser.submit((await ask(asked)).page, 'deny');
    expect(outside?.searchParams.get('error')).toBe('access_denied');
    expect(running.upstream.asked).toEqual([]);
  });

  it('the finish that a browser without the cookie of the request asks for leads to no upstream', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { hops, page } = await ask(asked);
    const { outside } = await asked.browser.submit(page, 'approve', { connector: 'acme' });
    const state = outside?.searchParams.get('state') ?? '';
    const callback = `/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`;
    const finish = (await asked.browser.visit(callback)).headers.get('location') ?? '';
    expect(finish).toBe(`${hops.at(-1)}/finish`);
    expect((await new Browser(running.server).visit(finish)).status).toBe(400);
    expect(running.upstream.asked).toEqual([]);
    expect((await asked.browser.follow(finish)).outside?.host).toBe('github.example');
  });
});

describe('where the scope upstream:<connector> is valid', () => {
  it('no metadata lists it', async () => {
    await using running = await startWithTools();
    const metadata = await read(await running.server.fetch('/.well-known/oauth-authorization-server'));
    expect(metadata.scopes_supported).not.toContain('upstream:github');
  });

  it('a request that names no scope does not get it', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { browser, client } = asked;
    const { page } = await browser.follow(authorizePath(client));
    expect(await textIn(page)).not.toContain('upstream:github');
  });

  it('a resource that may not use the connector has no such scope, and neither has an unknown connector', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const resource = 'https://billing.example/mcp';
    for (const parameters of [{ scope: 'upstream:github', resource }, { scope: 'upstream:gitlab' }]) {
      const { page } = await asked.browser.follow(authorizePath(asked.client, parameters));
      expect(page?.status).toBe(400);
      expect(await textIn(page)).toContain('none of these scopes can be granted');
    }
  });

  it('RFC 6749 §6 a refresh does not get it without an approval', async () => {
    await using running = await startWithTools();
    const asked = await start(running);
    const { outside } = await signIn(asked, (await ask(asked, 'mcp:tools')).page);
    const { server } = running;
    const tokens = await read(await redeem(server, asked.client, outside?.searchParams.get('code') ?? ''));
    const wider = await refresh(server, asked.client, tokens.refresh_token, { scope: SCOPE });
    expect([wider.status, (await read(wider)).error]).toEqual([400, 'invalid_scope']);
  });

  it('RFC 6749 §4.4 a machine has no account at an upstream, and no such scope', async () => {
    const machine = {
      client_id: 'machine',
      client_secret: 'a-secret-that-is-long-enough-for-a-machine',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'mcp:tools upstream:github',
    };
    await using running = await startWithTools({ clients: [machine] });
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: machine.client_id,
      client_secret: machine.client_secret,
      scope: SCOPE,
    });
    const tokens = await read(await running.server.fetch('/token', { method: 'POST', body }));
    expect(tokens.scope).toBe('mcp:tools');
  });

  it('two upstreams are asked one after the other, and a refusal at the first leaves the second', async () => {
    const second = toolsUpstream({ id: 'drive', title: 'Drive', scopes: ['files'] });
    await using running = await startWithTools({}, toolsUpstream(), [second.tools]);
    const asked = await start(running);
    const first = await signIn(asked, (await ask(asked, `${SCOPE} upstream:drive`)).page);
    const next = await comeBackFrom(asked.browser, first.outside, { error: 'access_denied' });
    expect(next.outside?.host).toBe('drive.example');
    const end = await comeBackFrom(asked.browser, next.outside, { code: 'files-of-alice' });
    expect(await scopeOf(asked, end.outside)).toBe('mcp:tools upstream:drive');
  });
});
