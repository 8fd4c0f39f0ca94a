/**
 * Proves that a page can ask for a sign-in that is not old: the identity provider is asked to let the person prove who they are, and
 * its `auth_time` is checked where it says one (OpenID Connect Core 1.0 §3.1.2.1).
 */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import { createAccounts } from '../../../src/federation/account.ts';
import type { BeginOptions } from '../../../src/federation/connector.ts';
import { createPageSessions } from '../../../src/http/page-session/page-sessions.ts';
import { createSessionCookie } from '../../../src/http/page-session/session-cookie.ts';
import { createPageSessionRecords, type PageSessionRecord } from '../../../src/http/page-session/session-records.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { comeBack, pageCookieOf } from '../../support/page-visitor.ts';
import { ISSUER, startServer } from '../../support/running-server.ts';

const MAX_AGE = 300;
const ALICE = { issuer: 'https://acme.example', subject: 'alice' };

/** A page that needs a sign-in of the last five minutes, for a browser with a session that began as `record` says. */
async function visited(record: Omit<PageSessionRecord, 'accountId'> | undefined, engineSince?: number) {
  const clock = new FakeClock();
  const now = clock.now() / 1000;
  const store = createSqliteStore(':memory:', clock);
  const accounts = createAccounts(store, 1_000);
  await accounts.save({ accountId: 'alice', connector: 'acme', identity: ALICE });
  const sessions = createPageSessions({
    issuer: ISSUER,
    clock,
    accounts,
    passThrough: async (account) => ({ account }),
    signedOut: { includes: async () => false },
    records: createPageSessionRecords({ store, clock, random: randomBytes }),
    cookie: createSessionCookie(ISSUER),
    sessions: {
      find: async () =>
        engineSince === undefined ? undefined : { uid: 'engine', accountId: 'alice', since: now + engineSince },
      end: async () => {},
    },
    formKey: 'key',
  });
  const app = new Koa();
  app.use(async (ctx) => {
    if (ctx.path === '/start' && record) {
      const authenticatedAt = record.authenticatedAt === undefined ? undefined : now + record.authenticatedAt;
      await sessions.start(ctx, { accountId: 'alice', since: now + record.since, authenticatedAt });
      ctx.body = 'started';
    } else if (await sessions.require(ctx, { maxAge: MAX_AGE })) ctx.body = 'shown';
  });
  const { url, close } = await serve(app.callback());
  const started = await fetch(`${url}/start`, { redirect: 'manual' });
  const cookie = started.headers.getSetCookie().map((line) => line.split(';')[0]);
  const shown = await fetch(`${url}/account`, { headers: { cookie: cookie.join('; ') }, redirect: 'manual' });
  await close();
  return shown.headers.get('location') ?? (await shown.text());
}

const AGAIN = '/sign-in?to=%2Faccount&again=1';

describe('a page that needs a sign-in that is not old', () => {
  it.each([
    ['the page is shown after a sign-in with a proof just now', { since: 0, authenticatedAt: 0 }, undefined, 'shown'],
    [
      'the page is shown while the proof is of the last five minutes',
      { since: -300, authenticatedAt: -300 },
      undefined,
      'shown',
    ],
    ['the page asks again when the proof is older', { since: 0, authenticatedAt: -301 }, undefined, AGAIN],
    ['the page asks again when the upstream may have asked nothing', { since: 0 }, undefined, AGAIN],
    ['the page asks a browser that has only the session of an app', undefined, 0, AGAIN],
    ['the page asks a browser that has no session', undefined, undefined, AGAIN],
  ] as const)('%s', async (_, record, engineSince, expected) => {
    expect(await visited(record, engineSince)).toBe(expected);
  });
});

describe('a sign-in that has to be new', () => {
  const again = async (authenticatedAt: number | undefined) => {
    const clock = new FakeClock();
    const asked: (BeginOptions | undefined)[] = [];
    const server = await startServer({
      clock,
      store: createSqliteStore(':memory:', clock),
      connectors: (acme) => [
        {
          ...acme,
          connector: {
            begin: (checks, options) => {
              asked.push(options);
              return acme.connector.begin(checks);
            },
            finish: async (...answer) => ({
              ...(await acme.connector.finish(...answer)),
              ...(authenticatedAt !== undefined && { authenticatedAt: clock.now() / 1000 + authenticatedAt }),
            }),
          },
        },
      ],
    });
    const browser = new Browser(server);
    const { outside } = await browser.follow('/sign-in?to=/account&again=1');
    const page = await comeBack(browser, outside);
    return { server, browser, page, asked };
  };

  it.each([undefined, 0, -30])('a sign-in counts when auth_time is %s s away from it', async (at) => {
    const { server, page, asked } = await again(at);
    await using _ = server;
    expect([page.status, asked]).toEqual([200, [{ reauthenticate: true, selectAccount: false }]]);
  });

  it('a sign-in does not count when auth_time is older, and then there is no session', async () => {
    const { server, browser, page } = await again(-600);
    await using _ = server;
    expect([page.status, pageCookieOf(browser)]).toEqual([403, undefined]);
    expect(await page.text()).toContain('Acme did not ask you to sign in again');
    expect(server.log.find(({ msg }) => msg === 'request refused')?.reason).toContain('600 s older');
  });
});
