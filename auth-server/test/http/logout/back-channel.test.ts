/**
 * Proves that a logout at the upstream ends the browser sessions that it names, and approvals only where the operator set it (OpenID
 * Connect Back-Channel Logout 1.0), on one replica and on the other.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { type LogoutUpstream, report, startLogoutUpstream } from '../../support/logout-upstream.ts';
import { type RunningServer, read, startServer } from '../../support/running-server.ts';
import { STORES, storesOf } from '../../support/stores.ts';

let upstream: LogoutUpstream;
let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  upstream = await startLogoutUpstream();
  server = await startServer({ connectors: upstream.connectors });
  client = await register(server);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  vi.useRealTimers();
});

/** Later than clocks may differ: what begins now is after every logout so far. */
const pass = (seconds = 10) => vi.setSystemTime(Date.now() + seconds * 1_000);

/** A browser in which a person has signed in; `person` may name the session at the upstream behind a slash. */
async function signedIn(person: string, at = server): Promise<Browser> {
  const browser = new Browser(at);
  await authorize(at, client, {}, { browser, person });
  return browser;
}

/** Whether the session is used: the approval is remembered, so no page is shown. */
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.follow(authorizePath(client))).outside?.searchParams.has('code') ?? false;

describe('OpenID Connect Back-Channel Logout §2.7 a logout at the upstream', () => {
  it('a token without sid ends all sessions of the person, and of nobody else', async () => {
    const [alice, again, bob] = [await signedIn('alice'), await signedIn('alice/s1'), await signedIn('bob')];
    const response = await report(server, await upstream.token({ sub: 'alice' }));
    expect([response.status, response.headers.get('cache-control'), await response.text()]).toEqual([
      200,
      'no-store',
      '',
    ]);
    expect([await isSignedIn(alice), await isSignedIn(again), await isSignedIn(bob)]).toEqual([false, false, true]);
    expect(server.log).toContainEqual(
      expect.objectContaining({ msg: 'signed out by the upstream', connector: 'acme' }),
    );
  });

  it.each([
    ['sid', { sid: 's1' }],
    ['sub and sid', { sid: 's1', sub: 'alice' }],
  ])('a token with %s ends the session at the upstream that it names, and no other', async (_, claims) => {
    const [one, other, bob] = [await signedIn('alice/s1'), await signedIn('alice/s2'), await signedIn('bob/s3')];
    expect((await report(server, await upstream.token(claims))).status).toBe(200);
    expect([await isSignedIn(one), await isSignedIn(other), await isSignedIn(bob)]).toEqual([false, true, true]);
  });

  it('a session for which the upstream named no sid ends with any logout of its person', async () => {
    const [alice, bob] = [await signedIn('alice'), await signedIn('bob')];
    await report(server, await upstream.token({ sub: 'alice', sid: 'unknown here' }));
    expect([await isSignedIn(alice), await isSignedIn(bob)]).toEqual([false, true]);
  });

  it('an ended session stays ended, and a new sign-in with the same browser works', async () => {
    const browser = await signedIn('alice/s1');
    await report(server, await upstream.token({ sub: 'alice' }));
    expect([await isSignedIn(browser), await isSignedIn(browser)]).toEqual([false, false]);
    pass();
    await authorize(server, client, {}, { browser, person: 'alice/s2' });
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('a page that was open during the logout approves nothing', async () => {
    const browser = await signedIn('alice');
    const { page } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    await report(server, await upstream.token({ sub: 'alice' }));
    const { page: answer, outside } = await browser.submit(page, 'approve');
    expect([answer?.status, outside]).toEqual([400, undefined]);
  });

  it.each([
    ['the session', { sid: 's1' }],
    ['the person', { sub: 'alice' }],
  ])('a logout of %s between the sign-in at the upstream and its end here refuses that sign-in', async (_, claims) => {
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client));
    const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
    const state = outside?.searchParams.get('state') ?? '';
    const finish = await browser.visit(`/callback/acme?${new URLSearchParams({ state, code: 'alice/s1' })}`);
    await report(server, await upstream.token(claims));
    pass();
    const { outside: answer } = await browser.follow(finish.headers.get('location') ?? '');
    expect(Object.fromEntries(answer?.searchParams ?? [])).toMatchObject({
      error: 'access_denied',
      error_description: 'The user signed out at the identity provider during this sign-in.',
    });
    expect(answer?.searchParams.has('code')).toBe(false);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('a refresh goes on: a client for offline use is not signed out', async () => {
    const { code } = await authorize(server, client);
    const { refresh_token: token } = await read(await redeem(server, client, code));
    await report(server, await upstream.token({ sub: 'alice' }));
    expect((await refresh(server, client, token)).status).toBe(200);
  });

  it('a person who is signed in nowhere is signed out: the upstream is told so', async () => {
    expect((await report(server, await upstream.token({ sub: 'nobody' }))).status).toBe(200);
  });
});

describe('LOGOUT_ENDS_APPROVALS', () => {
  it('every token of the person fails, no other does, and a new approval is good', async () => {
    await using strict = await startLogoutUpstream({ logoutEndsApprovals: true });
    await using ending = await startServer({ connectors: strict.connectors });
    const app = await register(ending);
    const approved = async (person: string, browser = new Browser(ending)) => {
      const { code } = await authorize(ending, app, {}, { person, browser });
      return String((await read(await redeem(ending, app, code))).refresh_token);
    };
    const browser = new Browser(ending);
    const [alice, other, bob] = [
      await approved('alice/s1', browser),
      await approved('alice/s2'),
      await approved('bob'),
    ];
    const { code } = await authorize(ending, app, {}, { browser });
    await report(ending, await strict.token({ sub: 'alice', sid: 's1' }));
    const refused = await refresh(ending, app, alice);
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_grant']);
    expect((await read(await redeem(ending, app, code))).error, 'a code').toBe('invalid_grant');
    expect((await read(await refresh(ending, app, other))).error, 'another session').toBe('invalid_grant');
    expect((await refresh(ending, app, bob)).status).toBe(200);
    pass();
    expect((await refresh(ending, app, await approved('alice/s1', browser))).status).toBe(200);
  });
});

describe('LOGOUT_ENDS_APPROVALS and a token that names a session and no person', () => {
  /** Three people, or sessions, with a refresh token each, at a server whose connector ends approvals. */
  async function begin() {
    const strict = await startLogoutUpstream({ logoutEndsApprovals: true });
    const ending = await startServer({ connectors: strict.connectors });
    const app = await register(ending);
    const approved = async (person: string) => {
      const { code } = await authorize(ending, app, {}, { person, browser: new Browser(ending) });
      return String((await read(await redeem(ending, app, code))).refresh_token);
    };
    const tokens = [await approved('alice/s1'), await approved('alice/s2'), await approved('bob/s3')];
    return {
      ending,
      refreshed: () => Promise.all(tokens.map(async (token) => (await refresh(ending, app, token)).status)),
      report: async (claims: Readonly<Record<string, unknown>>) => report(ending, await strict.token(claims)),
      [Symbol.asyncDispose]: async () => {
        await ending[Symbol.asyncDispose]();
        await strict[Symbol.asyncDispose]();
      },
    };
  }

  it('§2.7 a token that names a session ends the approvals of the person who signed in with it, and of nobody else', async () => {
    await using stage = await begin();
    expect((await stage.report({ sid: 's1' })).status).toBe(200);
    expect(await stage.refreshed()).toEqual([400, 400, 200]);
    const line = { msg: 'signed out by the upstream', person: false, session: true, approvals: true };
    expect(stage.ending.log).toContainEqual(expect.objectContaining(line));
  });

  it('a session with which nobody signed in here ends no approval, and the log says so', async () => {
    await using stage = await begin();
    expect((await stage.report({ sid: 's9' })).status).toBe(200);
    expect(await stage.refreshed()).toEqual([200, 200, 200]);
    expect(stage.ending.log).toContainEqual(
      expect.objectContaining({ msg: 'signed out by the upstream', session: true, approvals: false }),
    );
  });
});

describe.each(STORES)('two replicas on %s', (kind) => {
  const openStore = storesOf(kind);

  it('a logout at one replica ends the session at the other, and its token is used once', async () => {
    await using strict = await startLogoutUpstream({ logoutEndsApprovals: true });
    const store = await openStore(systemClock);
    const connectors = strict.connectors;
    await using one = await startServer({ store, connectors });
    await using two = await startServer({ store: { ...store, close: async () => {} }, connectors });
    client = await register(one);
    const browser = await signedIn('alice', two);
    const { code } = await authorize(two, client, {}, { person: 'alice' });
    const { refresh_token: refreshed } = await read(await redeem(two, client, code));
    const token = await strict.token({ sub: 'alice' });
    expect((await report(one, token)).status).toBe(200);
    expect(await isSignedIn(browser)).toBe(false);
    expect((await refresh(two, client, refreshed)).status).toBe(400);
    const again = await Promise.all([report(one, token), report(two, token)]);
    expect(again.map(({ status }) => status)).toEqual([400, 400]);
  });

  it.each([-2, 2])(
    'a sign-in counts as before a logout at the other replica whose clock differs by %d s',
    async (ahead) => {
      const store = await openStore(systemClock);
      const connectors = upstream.connectors;
      const clock = { now: () => Date.now() + ahead * 1_000 };
      await using one = await startServer({ store, connectors });
      await using two = await startServer({ store: { ...store, close: async () => {} }, connectors, clock });
      client = await register(one);
      const browser = await signedIn('alice', two);
      expect((await report(one, await upstream.token({ sub: 'alice' }))).status).toBe(200);
      expect(await isSignedIn(browser)).toBe(false);
      pass();
      await authorize(two, client, {}, { browser, person: 'alice' });
      expect(await isSignedIn(browser)).toBe(true);
    },
  );

  it('concurrent requests with one token: exactly one of twenty is accepted', async () => {
    const store = await openStore(systemClock);
    await using one = await startServer({ store, connectors: upstream.connectors });
    await using two = await startServer({
      store: { ...store, close: async () => {} },
      connectors: upstream.connectors,
    });
    const token = await upstream.token({ sub: 'alice' });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => report(n % 2 ? one : two, token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});
