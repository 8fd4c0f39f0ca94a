/** Proves that a person can leave out scopes, and that what is left out is in no token and in no grant (RFC 6749 §3.3). */
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorizePath, redeem, refresh, register, type TestClient, WEB } from '../../support/client.ts';
import { type RunningServer, read, startServer } from '../../support/running-server.ts';

const RESOURCES = JSON.stringify([
  {
    url: 'http://localhost:8080',
    scopes: { 'mcp:tools': 'Use the tools', 'notes:read': 'Read notes', 'notes:write': 'Change notes' },
  },
  { url: 'http://localhost:8090' },
]);
const ALL = 'mcp:tools notes:read notes:write openid';

let server: RunningServer;
let browser: Browser;
let client: TestClient;
beforeEach(async () => {
  const metadata = { resource: 'http://localhost:8090/mcp', scopes_supported: ['one', 'two'] };
  server = await startServer({ env: { RESOURCES }, fetch: async () => Response.json(metadata) });
  browser = new Browser(server);
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const ask = (scope = ALL, parameters: Readonly<Record<string, string>> = {}) =>
  browser.follow(authorizePath(client, { scope, ...parameters }));

/** From the page through the upstream; `scope` is what stays ticked. */
async function signIn(page: Response | undefined, scope: string): Promise<URL | undefined> {
  const { outside } = await browser.submit(page, 'approve', { connector: 'acme', scope });
  const state = outside?.searchParams.get('state') ?? '';
  return (await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`)).outside;
}

const scopeOf = (tokens: Readonly<Record<string, unknown>>) => decodeJwt(String(tokens.access_token)).scope;
const tokensFor = async (answer: URL | undefined) =>
  read(await redeem(server, client, answer?.searchParams.get('code') ?? ''));

const boxesOn = (markup: string) =>
  [...markup.matchAll(/<input type="checkbox"[^>]*value="([^"]+)"[^>]* checked>/g)].map(([, name]) => name);

describe('the boxes of the sign-in page', () => {
  it('each scope but the base scope has a box that is ticked as the client asked', async () => {
    const markup = (await (await ask()).page?.text()) ?? '';
    expect(boxesOn(markup)).toEqual(['notes:read', 'notes:write']);
    expect(markup).toContain('<li>Use the tools</li>');
    const few = (await (await ask('mcp:tools notes:read')).page?.text()) ?? '';
    expect(boxesOn(few)).toEqual(['notes:read']);
  });

  it('one scope alone has no box, because to leave it out is to deny', async () => {
    expect(boxesOn((await (await ask('notes:read')).page?.text()) ?? '')).toEqual([]);
  });

  it('RFC 6749 §5.1 a scope that is left out is in no token, and the answer says so', async () => {
    const answer = await signIn((await ask()).page, 'notes:read');
    const tokens = await tokensFor(answer);
    expect(scopeOf(tokens)).toBe('mcp:tools notes:read');
    expect(String(tokens.scope).split(' ')).not.toContain('notes:write');
    expect(scopeOf(await read(await refresh(server, client, tokens.refresh_token)))).toBe('mcp:tools notes:read');
  });

  it('RFC 6749 §6 a refresh does not get what was left out', async () => {
    const tokens = await tokensFor(await signIn((await ask()).page, 'notes:read'));
    const wider = await refresh(server, client, tokens.refresh_token, { scope: 'mcp:tools notes:write' });
    expect([wider.status, (await read(wider)).error]).toEqual([400, 'invalid_scope']);
  });

  it('a person who leaves out all that can be left out approves the base scope', async () => {
    expect(scopeOf(await tokensFor(await signIn((await ask()).page, '')))).toBe('mcp:tools');
  });

  it('RFC 6749 §4.1.2.1 a person who leaves out everything has denied', async () => {
    const resource = 'http://localhost:8090/mcp';
    const answer = await signIn((await ask('one two', { resource })).page, '');
    expect(answer?.searchParams.get('error')).toBe('access_denied');
    expect(answer?.searchParams.get('error_description')).toBe('The user allowed none of the requested scopes.');
    const chosen = await signIn((await ask('one two', { resource })).page, 'two');
    const tokens = await read(await redeem(server, client, chosen?.searchParams.get('code') ?? '', { resource }));
    expect(scopeOf(tokens)).toBe('two');
  });

  it('a scope that nobody asked for cannot be ticked', async () => {
    const tokens = await tokensFor(await signIn((await ask('mcp:tools notes:read')).page, 'notes:write'));
    expect(scopeOf(tokens)).toBe('mcp:tools');
  });
});

describe('what an approval with a choice is remembered for', () => {
  it('the chosen scopes are not asked again, and what was left out is asked when the client steps up', async () => {
    await signIn((await ask()).page, 'notes:read');
    expect((await ask('mcp:tools notes:read openid')).outside?.searchParams.has('code')).toBe(true);
    const { page } = await ask();
    expect(boxesOn((await page?.clone().text()) ?? '')).toEqual(['notes:read', 'notes:write']);
    const { outside } = await browser.submit(page, 'approve');
    expect(scopeOf(await tokensFor(outside))).toBe('mcp:tools notes:read notes:write');
    expect((await ask()).outside?.searchParams.has('code')).toBe(true);
  });

  it('RFC 6749 §10.3 a scope that was approved earlier and is left out now leaves older tokens too', async () => {
    const older = await tokensFor(await signIn((await ask()).page, 'notes:write'));
    expect(scopeOf(older)).toBe('mcp:tools notes:write');
    const { outside } = await browser.submit((await ask()).page, 'approve', { scope: '' });
    expect(scopeOf(await tokensFor(outside))).toBe('mcp:tools');
    expect(scopeOf(await read(await refresh(server, client, older.refresh_token)))).toBe('mcp:tools');
    expect((await ask('mcp:tools notes:write')).page?.status).toBe(200);
  });

  it('RFC 8707 §2 what is left out is left out under each spelling of the resource', async () => {
    const resource = 'http://LOCALHOST:8080/mcp';
    const first = await signIn((await ask(ALL, { resource })).page, 'notes:write');
    const older = await read(await redeem(server, client, first?.searchParams.get('code') ?? '', { resource }));
    expect(scopeOf(older)).toBe('mcp:tools notes:write');
    await browser.submit((await ask()).page, 'approve', { scope: '' });
    const again = await read(await refresh(server, client, older.refresh_token, { resource }));
    expect(scopeOf(again)).toBe('mcp:tools');
  });

  it.each([
    'http://localhost:8080/mcp/',
    'http://localhost:8080/',
    'HTTP://LOCALHOST:8080/mcp',
    'http://localhost:8080/mcp',
  ])('RFC 8707 §2 a scope that is left out leaves the tokens for %s too', async (resource) => {
    const older = await tokensFor(await signIn((await ask(ALL, { resource })).page, 'notes:write'));
    expect(scopeOf(older)).toBe('mcp:tools notes:write');
    const { page } = await ask(ALL, { resource: 'http://localhost:8080/mcp', prompt: 'consent' });
    await browser.submit(page, 'approve', { scope: '' });
    expect(scopeOf(await read(await refresh(server, client, older.refresh_token)))).toBe('mcp:tools');
  });

  it('RFC 9126 §4 a scope that is left out of a pushed request leaves older tokens of any spelling too', async () => {
    const resource = 'http://localhost:8080/mcp/';
    const pushed = async (parameters: Readonly<Record<string, string>>) => {
      const asked = new URLSearchParams(authorizePath(client, { scope: ALL, ...parameters }).split('?')[1]);
      const { request_uri } = await read(await server.fetch('/par', { method: 'POST', body: asked }));
      const path = `/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(request_uri) })}`;
      return (await browser.follow(path)).page;
    };
    const older = await tokensFor(await signIn(await pushed({ resource }), 'notes:write'));
    expect(scopeOf(older)).toBe('mcp:tools notes:write');
    const page = await pushed({ resource: 'http://localhost:8080/mcp', prompt: 'consent' });
    await browser.submit(page, 'approve', { scope: '' });
    expect(scopeOf(await read(await refresh(server, client, older.refresh_token)))).toBe('mcp:tools');
  });

  it('the choice of one client is not that of another', async () => {
    await signIn((await ask()).page, 'notes:read notes:write');
    client = await register(server, WEB);
    expect((await ask()).page?.status).toBe(200);
  });
});
