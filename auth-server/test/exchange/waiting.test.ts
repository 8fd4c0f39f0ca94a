/** Proves how a call that waits for a person gets to know what the person did at the link (RFC 8628 §3.5 has the codes). */
import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import { type RecordStore, StoreUnavailable } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorize, redeem, register } from '../support/client.ts';
import { exchange } from '../support/exchange.ts';
import { openPage } from '../support/page-visitor.ts';
import { MCP, type RunningServer, read } from '../support/running-server.ts';
import { comeBackFrom, decide, startWithTools, subjectOf } from '../support/tools-connector.ts';

const AT_GITHUB = { resource: undefined, audience: 'github' };

async function tokenOf(server: RunningServer, person = 'alice'): Promise<unknown> {
  const client = await register(server);
  const { code } = await authorize(server, client, { scope: 'mcp:tools', resource: MCP }, { person });
  return (await read(await redeem(server, client, code))).access_token;
}

/** A call that has got its link, and asks again and again. */
async function waiting(server: RunningServer) {
  const token = await tokenOf(server);
  const ask = async (more: Record<string, string> = {}) =>
    read(await exchange(server, token, { ...AT_GITHUB, ...more }));
  const link = String((await ask()).interaction_uri);
  return { ask, link, news: async () => (await ask({ interaction: 'none', interaction_uri: link })).error };
}

const auditOf = ({ entries }: RunningServer, event: string) => entries.filter((entry) => entry.event === event);

describe('a call that waits for a person who connects an account', () => {
  it('the same client gets the same link, which says that it is shown; neither that nor the wait is in the audit again', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const { ask, link, news } = await waiting(server);
    expect(await ask()).toMatchObject({ interaction_uri: link, interaction_shown: true });
    expect([await news(), await news()]).toEqual(['interaction_required', 'interaction_required']);
    expect(auditOf(server, 'exchange.refused')).toHaveLength(1);
    const levels = server.log.filter(({ msg }) => msg === 'token request refused').map(({ level }) => level);
    expect(levels).toEqual(['info', 'debug', 'debug', 'debug']);
  });

  it('a person who presses Cancel ends the wait at once, and a second call asks again', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const { ask, link, news } = await waiting(server);
    const browser = new Browser(server);
    await decide(browser, link, await openPage(browser, link), 'cancel');
    expect(await ask({ interaction: 'none', interaction_uri: link })).toEqual({
      error: 'access_denied',
      error_description: 'the user has declined to connect the account',
    });
    expect(auditOf(server, 'exchange.refused').at(-1)).toMatchObject({ details: { error: 'access_denied' } });
    const again = await ask();
    expect(again).toMatchObject({
      error: 'interaction_required',
      interaction_uri: expect.stringContaining('/connect/'),
    });
    expect([again.interaction_uri === link, again.interaction_shown]).toEqual([false, undefined]);
    expect(await news()).toBe('access_denied');
  });

  it('a client whose person declines in the app ends the link and all waits for it', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const { ask, link, news } = await waiting(server);
    expect((await ask({ interaction: 'declined', interaction_uri: link })).error).toBe('access_denied');
    expect(await news()).toBe('access_denied');
    const browser = new Browser(server);
    expect((await openPage(browser, link)).status).toBe(410);
  });

  it.each([
    ['refuses there', { error: 'access_denied' }, 'access_denied'],
    ['comes back while the upstream is down', { code: 'octocat' }, 'expired_token'],
  ])('a person who %s ends the wait', async (what, answer, expected) => {
    await using running = await startWithTools();
    const { server, upstream } = running;
    const { link, news } = await waiting(server);
    const browser = new Browser(server);
    const { outside } = await decide(browser, link, await openPage(browser, link));
    expect(await news(), 'the person is at the upstream').toBe('interaction_required');
    upstream.isDown = what.includes('down');
    await comeBackFrom(browser, outside, answer);
    expect(await news()).toBe(expected);
  });

  /** A store that fails as the test says. */
  function failingStore() {
    const store = createSqliteStore(':memory:', systemClock);
    const state = { fails: (_method: string, _kind: string): boolean => false };
    const proxy = new Proxy(store, {
      get: (target, method: keyof RecordStore) =>
        method === 'close'
          ? () => target.close()
          : async (...given: [string, string, never, never]) => {
              if (state.fails(method, given[0])) throw new StoreUnavailable('test');
              return (target[method] as (...args: unknown[]) => unknown)(...given);
            },
    });
    return { store: proxy, state };
  }

  it.each([
    ['comes back', 'get', 'PageSession'],
    ['comes back', 'putIfAbsent', 'UpstreamSession'],
    ['leaves', 'put', 'LoginState'],
  ])('a person who %s while the store fails ends the wait (%s %s)', async (when, method, kind) => {
    const { store, state } = failingStore();
    await using running = await startWithTools({ store });
    const { server } = running;
    const { link, news } = await waiting(server);
    const browser = new Browser(server);
    const fail = () => {
      state.fails = (one, of) => one === method && of === kind;
    };
    const page = await openPage(browser, link);
    if (when === 'leaves') fail();
    const { outside, page: refused } = await decide(browser, link, page);
    fail();
    const answer = refused ?? (await comeBackFrom(browser, outside, { code: 'octocat' })).page;
    state.fails = () => false;
    expect([answer?.status, await news()]).toEqual([503, 'expired_token']);
  });

  it('a person who presses Cancel ends the wait, also if the store fails once', async () => {
    const { store, state } = failingStore();
    await using running = await startWithTools({ store });
    const { link, news } = await waiting(running.server);
    const browser = new Browser(running.server);
    const page = await openPage(browser, link);
    let failures = 0;
    state.fails = (_, kind) => kind === 'ConnectLinkEnd' && ++failures === 1;
    await decide(browser, link, page, 'cancel');
    expect([failures > 0, await news()]).toEqual([true, 'access_denied']);
  });

  it('a person who connects the account ends the wait with a token', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const { ask, link } = await waiting(server);
    const browser = new Browser(server);
    const { outside } = await decide(browser, link, await openPage(browser, link));
    await comeBackFrom(browser, outside, { code: 'octocat' });
    expect((await ask({ interaction: 'none', interaction_uri: link })).access_token).toBe('token-of-octocat');
  });

  it('another person can neither decline a link nor learn what came of it', async () => {
    await using running = await startWithTools();
    const { server } = running;
    const { link, news } = await waiting(server);
    const bob = await tokenOf(server, 'bob');
    for (const interaction of ['declined', 'none']) {
      const answer = await read(await exchange(server, bob, { ...AT_GITHUB, interaction, interaction_uri: link }));
      expect(answer.error).toBe('interaction_required');
    }
    expect(await news()).toBe('interaction_required');
    const browser = new Browser(server);
    await decide(browser, link, await openPage(browser, link), 'cancel');
    const answer = await read(
      await exchange(server, bob, { ...AT_GITHUB, interaction: 'none', interaction_uri: link }),
    );
    expect(answer.error).toBe('interaction_required');
    expect(auditOf(server, 'connection.refused').map(({ who }) => who)).toEqual([subjectOf('alice')]);
  });
});
