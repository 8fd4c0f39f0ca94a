/** Proves which scopes a refresh yields when the client asks for a part of the grant (RFC 6749 §6), and what it is told. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { authorizePath, redeem, refresh, register, type TestClient } from '../support/client.ts';
import { type RunningServer, read, startServer } from '../support/running-server.ts';

const RESOURCES = JSON.stringify([
  { url: 'http://localhost:8080', scopes: { 'mcp:tools': '', 'notes:read': 'Read', 'notes:write': 'Change' } },
]);
const ALL = 'openid offline_access mcp:tools notes:read notes:write';

let folder: string;
let writers: string;
let clock: FakeClock;
let server: RunningServer;
let browser: Browser;
let client: TestClient;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refresh-scope-'));
  writers = join(folder, 'writers');
  writeFileSync(writers, 'anyone');
  clock = new FakeClock(Date.now());
  const SCOPE_RULES = `mcp:tools=anyone; notes:read=anyone; notes:write=file:${writers}`;
  server = await startServer({ env: { RESOURCES, SCOPE_RULES }, clock });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The code of a new client, of which the person approved everything that it asked for. */
async function codeFor(scope: string): Promise<string> {
  browser = new Browser(server);
  client = await register(server);
  const { page } = await browser.follow(authorizePath(client, { scope }));
  const { outside } = await browser.signIn(page, 'alice');
  return outside?.searchParams.get('code') ?? '';
}

/** The refresh token for such a code. */
async function approved(scope = ALL): Promise<string> {
  const code = await codeFor(scope);
  return String((await read(await redeem(server, client, code))).refresh_token);
}

/** The person sees the page again, and leaves out everything but `scope`. */
async function leaveOutAllBut(scope: string): Promise<void> {
  const { page } = await browser.follow(authorizePath(client, { scope: ALL, prompt: 'consent' }));
  const { outside } = await browser.submit(page, 'approve', { scope });
  expect(outside?.searchParams.get('code')).toBeTruthy();
}

function rule(written: string): void {
  writeFileSync(writers, written);
  clock.advance(3);
}

const answerTo = async (token: string, scope?: string) => outcome(await refresh(server, client, token, { scope }));

/** The status and the error, or the scope in the token and in the answer, which have to be the same. */
async function outcome(response: Response): Promise<readonly unknown[]> {
  const body = await read(response);
  if (response.status !== 200) return [response.status, body.error];
  expect(body.scope, 'RFC 6749 §5.1').toBe(decodeJwt(String(body.access_token)).scope);
  return [200, body.scope];
}

const REFUSED = [400, 'invalid_scope'];

describe('RFC 6749 §6 a refresh that asks for a part of what was approved', () => {
  it.each([
    ['the page, where the person left it out later', () => leaveOutAllBut('notes:read')],
    ['a rule, which no longer permits it', async () => rule('# nobody')],
  ])('a refresh for a scope is invalid_scope after %s', async (_, take) => {
    const token = await approved();
    expect(await answerTo(token, 'notes:write')).toEqual([200, 'notes:write']);
    await take();
    for (const scope of ['notes:write', 'openid notes:write', 'offline_access notes:write']) {
      expect([scope, ...(await answerTo(token, scope))]).toEqual([scope, ...REFUSED]);
    }
    expect(await answerTo(token, 'notes:read notes:write')).toEqual([200, 'notes:read']);
    expect(await answerTo(token)).toEqual([200, 'mcp:tools notes:read']);
    expect(await answerTo(token, ALL)).toEqual([200, 'mcp:tools notes:read']);
  });

  it('a scope that the rules never permitted is not in the grant, and a refresh for it is invalid_scope', async () => {
    rule('# nobody');
    const token = await approved();
    expect(await answerTo(token, 'notes:write')).toEqual(REFUSED);
    expect(await answerTo(token)).toEqual([200, 'mcp:tools notes:read']);
    rule('anyone');
    expect(await answerTo(token, 'notes:write'), 'nobody has approved it').toEqual(REFUSED);
  });

  it('RFC 6749 §5.2 a refresh is invalid_grant where nothing of the grant is permitted any more', async () => {
    const token = await approved('openid notes:write');
    rule('# nobody');
    for (const scope of [undefined, 'notes:write', 'openid', 'openid notes:write']) {
      expect(await answerTo(token, scope)).toEqual([400, 'invalid_grant']);
    }
    rule('anyone');
    expect(await answerTo(token), 'the refresh token was not used up').toEqual([200, 'notes:write']);
  });

  it.each(['openid', 'offline_access', 'openid offline_access'])(
    'RFC 6749 §3.3 a refresh for %s alone yields the default scope, as a request for it at /authorize does',
    async (scope) => {
      expect(await answerTo(await approved(scope), scope)).toEqual([200, 'mcp:tools']);
      expect(await answerTo(await approved(ALL), scope)).toEqual([200, 'mcp:tools']);
      expect(await answerTo(await approved(`${scope} notes:read`), scope)).toEqual([200, 'notes:read']);
    },
  );
});

describe('RFC 6749 §5.1 a code that is redeemed after a rule has changed', () => {
  it('a code yields the scopes that are still permitted, and the answer says which', async () => {
    const code = await codeFor(ALL);
    rule('# nobody');
    expect(await outcome(await redeem(server, client, code))).toEqual([200, 'mcp:tools notes:read']);
  });

  it('RFC 6749 §5.2 a code is invalid_grant where nothing that was approved is permitted any more', async () => {
    const code = await codeFor('openid notes:write');
    rule('# nobody');
    expect(await outcome(await redeem(server, client, code))).toEqual([400, 'invalid_grant']);
  });
});
