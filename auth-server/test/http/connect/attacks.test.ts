/**
 * Proves that a link connects an account to nobody but the person for whom it was made (MCP 2026-07-28, elicitation, phishing), once, and
 * that the states of a sign-in and of a connection do not stand in for each other.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createAccounts } from '../../../src/federation/account.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorizePath, register } from '../../support/client.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { ISSUER } from '../../support/running-server.ts';
import {
  comeBackFrom,
  decide,
  startWithTools,
  subjectOf,
  type ToolsServer,
  toolsUpstream,
} from '../../support/tools-connector.ts';

const textIn = async (page: Response | undefined): Promise<string> => (await page?.text()) ?? '';

/** What the done page says of a person. */
const isConnected = async (browser: Browser): Promise<boolean> =>
  (await textIn(await browser.visit('/connect/done/github'))).includes('is connected');

describe('a link that somebody else opens', () => {
  it('another person sees a page that says nothing of the link and what to do, and the link stays as it was', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const uri = await link();
    const bob = new Browser(server);
    const page = await openPage(bob, uri, 'bob');
    expect(page.status).toBe(403);
    const markup = await textIn(page);
    expect(markup).toContain('You are signed in here as <strong><bdi>bob@acme.example</bdi></strong>');
    expect(markup).toContain('If somebody sent you the link, close this page.');
    for (const word of ['GitHub', 'alice', 'notes', '<form']) expect(markup).not.toContain(word);
    const again = /href="([^"]+account=other)"/.exec(markup)?.[1]?.replaceAll('&amp;', '&');
    expect(again).toBe(`/sign-in?${new URLSearchParams({ to: new URL(uri).pathname, account: 'other' })}`);
    expect((await openPage(new Browser(server), uri)).status).toBe(200);
    expect(upstream.asked).toEqual([]);
    const refused = server.entries.find(({ event }) => event === 'connection.refused');
    expect(refused).toMatchObject({ who: subjectOf('bob'), reason: 'the link was made for another person' });
  });

  it('another person cannot send the form, with the token of any page of theirs', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const uri = await link();
    const bob = new Browser(server);
    const token = tokenIn(await textIn(await openPage(bob, '/account', 'bob')));
    const body = new URLSearchParams({ token, decision: 'connect' });
    expect((await bob.visit(uri, { method: 'POST', body })).status).toBe(403);
    expect(upstream.asked).toEqual([]);
  });

  it('the URL of the upstream in another browser connects nothing: neither to its person nor to the one of the link', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const [alice, bob] = [new Browser(server), new Browser(server)];
    const uri = await link();
    const { outside } = await decide(alice, uri, await openPage(alice, uri));
    await openPage(bob, '/account', 'bob');
    const { page } = await comeBackFrom(bob, outside, { code: 'octobob' });
    expect(page?.status).toBe(400);
    expect(upstream.redeemed).toEqual([]);
    expect([await isConnected(alice), await isConnected(bob)]).toEqual([false, false]);
    expect((await comeBackFrom(alice, outside, { code: 'octocat' })).page?.status).toBe(200);
  });

  it('a person who signs in with the browser meanwhile does not connect their account to the first one', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    const sign = await browser.follow('/sign-in?to=/account');
    await browser.follow(`/callback/acme?state=${sign.outside?.searchParams.get('state')}&code=bob`);
    const { page } = await comeBackFrom(browser, outside, { code: 'octobob' });
    expect(page?.status).toBe(403);
    expect(await textIn(page)).toContain('signed in or out in another tab');
    expect(upstream.redeemed).toEqual([]);
    expect(await isConnected(browser)).toBe(false);
  });

  it('a person who signs out meanwhile connects nothing', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    const body = new URLSearchParams({ token: tokenIn(await textIn(await browser.visit('/logout'))) });
    await browser.visit('/logout', { method: 'POST', body });
    expect((await comeBackFrom(browser, outside, { code: 'octocat' })).page?.status).toBe(403);
    expect(upstream.redeemed).toEqual([]);
  });

  it('a person who may not come in any more connects nothing', async () => {
    const clock = new FakeClock();
    const store = createSqliteStore(':memory:', clock);
    await using running = await startWithTools({ clock, store });
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    const accounts = createAccounts(store, 1_000);
    const account = await accounts.find(subjectOf('alice'));
    if (!account) throw new Error('no account');
    await accounts.save({ ...account, connector: 'gone' });
    expect((await comeBackFrom(browser, outside, { code: 'octocat' })).page?.status).toBe(403);
    expect(upstream.redeemed).toEqual([]);
  });
});

describe('an ending at the same moment', () => {
  /** In a browser of her own. */
  const endEverythingOfAlice = async (running: ToolsServer): Promise<void> => {
    const browser = new Browser(running.server);
    const token = tokenIn(await textIn(await openPage(browser)));
    const ended = await browser.visit('/account/end-all-access', {
      method: 'POST',
      body: new URLSearchParams({ token }),
    });
    expect(ended.status).toBe(200);
  };
  const isConnectedLater = async ({ server }: ToolsServer): Promise<boolean> => {
    const browser = new Browser(server);
    await openPage(browser);
    return isConnected(browser);
  };

  it('an account that is being connected by a link while its person ends everything is not connected', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    upstream.meanwhile = () => endEverythingOfAlice(running);
    expect((await comeBackFrom(browser, outside, { code: 'octocat' })).page?.status).toBe(403);
    expect([upstream.revoked, await isConnectedLater(running)]).toEqual([['token-of-octocat'], false]);
  });

  it.each([false, true])(
    'an approval connects nothing either when its person ends everything; with a session: %s',
    async (hasSession) => {
      await using running = await startWithTools();
      const { server, upstream } = running;
      const browser = new Browser(server);
      const client = await register(server);
      if (hasSession) await browser.signIn((await browser.follow(authorizePath(client))).page, 'alice');
      const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:tools upstream:github' }));
      const { outside } = hasSession ? await browser.submit(page, 'approve') : await browser.signIn(page, 'alice');
      expect(outside?.host).toBe('github.example');
      upstream.meanwhile = () => endEverythingOfAlice(running);
      const end = await comeBackFrom(browser, outside, { code: 'octocat' });
      expect(end.outside?.searchParams.has('code') ?? false).toBe(false);
      expect([upstream.revoked, await isConnectedLater(running)]).toEqual([['token-of-octocat'], false]);
    },
  );

  it('End everything disconnects the accounts of the person', async () => {
    await using running = await startWithTools();
    const { server, link } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    await comeBackFrom(browser, outside, { code: 'octocat' });
    expect(await isConnected(browser)).toBe(true);
    await endEverythingOfAlice(running);
    expect(await isConnectedLater(running)).toBe(false);
  });
});

describe('a link is used once and in time', () => {
  it('HEAD and GET use nothing up: link previews, with and without a session', async () => {
    await using running = await startWithTools();
    const { server, link } = running;
    const uri = await link();
    const alice = new Browser(server);
    for (const method of ['HEAD', 'GET']) {
      expect((await new Browser(server).visit(uri, { method })).status, method).toBe(303);
      await openPage(alice, uri);
      expect((await alice.visit(uri, { method })).status, method).toBe(200);
    }
    expect((await decide(alice, uri, await alice.visit(uri))).outside?.host).toBe('github.example');
  });

  it('a used link is over, also for the person themselves, and the page says how to go on', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const page = await openPage(browser, uri);
    await decide(browser, uri, page);
    const again = await decide(browser, uri, page);
    expect(again.page?.status).toBe(410);
    expect(await textIn(again.page)).toContain('it was used already, or is more than ten minutes old');
    expect(upstream.asked.length).toBe(1);
  });

  it('two tabs that approve at the same time lead to the upstream once', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const uri = await running.link();
    const page = await openPage(browser, uri);
    const answers = await Promise.all([decide(browser, uri, page), decide(browser, uri, page)]);
    expect(answers.map(({ outside }) => outside?.host).sort()).toEqual(['github.example', undefined]);
    expect(answers.find(({ outside }) => !outside)?.page?.status).toBe(410);
  });

  it('two links in two tabs do not disturb each other', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const [one, other] = [await running.link(), await running.link()];
    const first = await decide(browser, one, await openPage(browser, one));
    const second = await decide(browser, other, await openPage(browser, other));
    expect((await comeBackFrom(browser, second.outside, { code: 'second' })).page?.status).toBe(200);
    const { page } = await comeBackFrom(browser, first.outside, { code: 'first' });
    expect(await textIn(page)).toContain('first-there');
  });

  it('a link ends after ten minutes, also while its page is open', async () => {
    const clock = new FakeClock();
    await using running = await startWithTools({ clock });
    const browser = new Browser(running.server);
    const uri = await running.link();
    const page = await openPage(browser, uri);
    clock.advance(601);
    expect((await browser.visit(uri)).status).toBe(410);
    expect((await decide(browser, uri, page)).page?.status).toBe(410);
    expect(running.upstream.asked).toEqual([]);
  });

  it('a made-up link, and one for a connector that is gone, are over without a sign-in', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    for (const uri of [`/connect/${'x'.repeat(43)}`, await running.link({ connector: 'gone' })]) {
      expect((await browser.visit(uri)).status, uri).toBe(410);
    }
    for (const path of ['/connect', '/connect/', '/connect/short', '/connect/done', '/connect/done/gone']) {
      expect((await browser.visit(path)).status, path).toBe(404);
    }
  });
});

describe('RFC 9700 §4.7 the form of a link', () => {
  it('the form is refused from another site, without a token, and with that of another session of the same person', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const [browser, other] = [new Browser(server), new Browser(server)];
    const uri = await link();
    const token = tokenIn(await textIn(await openPage(browser, uri)));
    const stolen = tokenIn(await textIn(await openPage(other, uri)));
    const send = (value: string, headers: Readonly<Record<string, string>> = {}) =>
      browser.visit(uri, { method: 'POST', body: new URLSearchParams({ token: value, decision: 'connect' }), headers });
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      expect((await send(token, headers)).status).toBe(403);
    }
    for (const value of ['', 'x', stolen]) expect((await send(value)).status, value).toBe(403);
    expect(upstream.asked).toEqual([]);
    expect((await send(token)).status).toBe(303);
  });

  it('the form of a session that has ended leads to a sign-in and back to the page of the link, which is not used', async () => {
    await using running = await startWithTools();
    const { server, link } = running;
    const uri = await link();
    const token = tokenIn(await textIn(await openPage(new Browser(server), uri)));
    const gone = new Browser(server);
    const sent = await gone.visit(uri, { method: 'POST', body: new URLSearchParams({ token, decision: 'connect' }) });
    expect([sent.status, sent.headers.get('location')]).toEqual([
      303,
      `/sign-in?${new URLSearchParams({ to: new URL(uri).pathname })}`,
    ]);
    expect((await openPage(gone, uri)).status).toBe(200);
  });

  it('other methods than GET, HEAD and POST are refused, and a large body is not read', async () => {
    await using running = await startWithTools();
    const browser = new Browser(running.server);
    const uri = await running.link();
    await openPage(browser, uri);
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      expect((await browser.visit(uri, { method })).status, method).toBe(405);
    }
    const body = new URLSearchParams({ token: 'x'.repeat(5_000) });
    expect((await browser.visit(uri, { method: 'POST', body })).status).toBe(413);
  });

  it('no page of a connection can be framed, is stored by anybody, or tells its URL to another site', async () => {
    await using running = await startWithTools();
    const { server, link } = running;
    const [alice, bob] = [new Browser(server), new Browser(server)];
    const uri = await link();
    const pages = [
      await openPage(alice, uri),
      await openPage(bob, uri, 'bob'),
      await alice.visit('/connect/done/github'),
    ];
    for (const page of pages) {
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(Object.fromEntries(page.headers)).toMatchObject({
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
      expect(await page.text()).not.toContain('<script');
    }
  });
});

describe('the states of a sign-in and of a connection', () => {
  const both = async () => {
    const upstream = toolsUpstream({ id: 'acme', title: 'Acme' }, 'https://acme.example');
    const running = await startWithTools({}, upstream);
    const browser = new Browser(running.server);
    const uri = await running.link();
    const page = await openPage(browser, uri);
    return { running, browser, uri, page, upstream };
  };

  it('the state of a connection signs nobody in, at an upstream that is for both', async () => {
    const { running, browser, uri, page, upstream } = await both();
    await using _ = running;
    const { outside } = await decide(browser, uri, page);
    const sessions = browser.cookies.filter(({ name }) => name === 'as_page').map(({ value }) => value);
    const back = await comeBackFrom(browser, outside, { code: 'alice' });
    expect(back.hops).toEqual(['/connect/done/acme']);
    expect(browser.cookies.filter(({ name }) => name === 'as_page').map(({ value }) => value)).toEqual(sessions);
    expect(upstream.redeemed).toEqual(['alice']);
    expect(running.server.entries.filter(({ event }) => event === 'sign-in.succeeded').length).toBe(1);
  });

  it('the state of a sign-in connects nothing, at an upstream that is for both', async () => {
    const { running, browser, upstream } = await both();
    await using _ = running;
    const { outside } = await browser.follow('/sign-in?to=/account&account=other');
    await browser.follow(`/callback/acme?state=${outside?.searchParams.get('state')}&code=alice`);
    expect(upstream.redeemed).toEqual([]);
    expect(await textIn(await browser.visit('/connect/done/acme'))).toContain('Nothing was connected');
  });

  it('who signs in with an upstream connects that account and no other one there', async () => {
    const { running, browser, uri, page } = await both();
    await using _ = running;
    const { outside } = await decide(browser, uri, page);
    const refused = (await comeBackFrom(browser, outside, { code: 'mallory' })).page;
    expect(refused?.status).toBe(403);
    expect(await textIn(refused)).toContain('choose that account there');
    expect(await textIn(await browser.visit('/connect/done/acme'))).toContain('Nothing was connected');
    expect(running.server.entries.some(({ event }) => event === 'connection.refused')).toBe(true);
  });

  it('an upstream for tools alone is no way to sign in: not on a page, not by a form, not at its callback', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const browser = new Browser(server);
    const body = new URLSearchParams({ connector: 'github', to: '/account' });
    expect((await browser.visit('/sign-in', { method: 'POST', body })).status).toBe(400);
    const { page } = await browser.follow(authorizePath(await register(server)));
    expect(await textIn(page?.clone())).not.toContain('GitHub');
    const chosen = await browser.submit(page, 'approve', { connector: 'github' });
    expect(chosen.page?.status).toBe(400);
    // The state of a sign-in at another upstream.
    const { outside } = await browser.follow('/sign-in?to=/account');
    const state = outside?.searchParams.get('state') ?? '';
    const back = await browser.visit(`/callback/github?${new URLSearchParams({ state, code: 'octocat' })}`);
    expect(back.status).toBe(400);
    expect((await browser.visit('/account')).status).toBe(303);
  });

  it('the answer for a connection is accepted at the callback of its own connector alone, and once', async () => {
    await using running = await startWithTools();
    const { server, link, upstream } = running;
    const browser = new Browser(server);
    const uri = await link();
    const { outside } = await decide(browser, uri, await openPage(browser, uri));
    const state = outside?.searchParams.get('state') ?? '';
    expect((await browser.visit(`/callback/acme?${new URLSearchParams({ state, code: 'octocat' })}`)).status).toBe(400);
    expect(upstream.redeemed).toEqual([]);
    expect((await comeBackFrom(browser, outside, { code: 'octocat' })).page?.status).toBe(200);
    expect((await comeBackFrom(browser, outside, { code: 'octocat' })).page?.status).toBe(400);
    expect(upstream.redeemed).toEqual(['octocat']);
  });

  it('below an issuer with a path, the link, its form and its end stay below it', async () => {
    const issuer = `${ISSUER}/auth`;
    const upstream = toolsUpstream({ callbackUrl: `${issuer}/callback/github` });
    await using running = await startWithTools({ env: { ISSUER: issuer } }, upstream);
    const browser = new Browser(running.server);
    const uri = await running.link();
    const { outside } = await browser.follow(uri);
    const state = outside?.searchParams.get('state') ?? '';
    const { page } = await browser.follow(`${issuer}/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
    expect(await textIn(page?.clone())).toContain(`action="${new URL(uri).pathname}"`);
    const left = await decide(browser, uri, page);
    const query = new URLSearchParams({ state: left.outside?.searchParams.get('state') ?? '', code: 'octocat' });
    const { page: done, hops } = await browser.follow(`${issuer}/callback/github?${query}`);
    expect([done?.status, hops]).toEqual([200, ['/auth/connect/done/github']]);
  });
});
