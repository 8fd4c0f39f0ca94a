/** Proves that no personal token outlives an ending or a sign-out that comes while it is made, and that a person cannot make any number. */
import { isMarked, type StatusClaim } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { composeEndings } from '../../../src/compose/revocation/endings.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { commandsOn } from '../../support/command-store.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { startServer } from '../../support/running-server.ts';
import { createSteppedStore } from '../../support/stepped-store.ts';

const RESOURCE = { url: 'http://localhost:8080', name: 'Notes', scopes: { read: 'Read notes' } };
const env = { PERSONAL_TOKENS: 'on', RESOURCES: JSON.stringify([RESOURCE]) };

const fieldIn = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';

async function start() {
  const clock = new FakeClock(Date.now());
  const store = createSqliteStore(':memory:', clock);
  const directory = createSqliteDirectory(':memory:', clock);
  const statusStore = createSqliteStatusStore(':memory:', clock);
  const stepped = createSteppedStore(store);
  const server = await startServer({ env, store: stepped.store, directory, statusStore, clock });
  const withStore = commandsOn({ store, directory, statusStore, clock });
  return {
    clock,
    stepped,
    server,
    endPerson: (accountId: string) =>
      withStore({ NODE_ENV: 'test', ...env }, ({ config, ...opened }) =>
        composeEndings(config, opened).end({ kind: 'person', accountId }, { origin: 'cli' }),
      ),
    isRefused: async (token: string) => {
      const { uri, idx } = decodeJwt<{ status: StatusClaim }>(token).status.status_list;
      const marks = await statusStore.marks(uri.split('/').at(-1) ?? '');
      return marks !== undefined && isMarked(marks.bits, idx);
    },
    /** The form of a person who has just signed in, as a function that sends it. @returns the token, if one was shown */
    formOf: async (browser: Browser) => {
      await openPage(browser);
      const page = await (await browser.visit('/account')).text();
      const fields = { name: 'laptop', lifetime: '604800', resource: `${RESOURCE.url}/mcp`, scope: 'read' };
      const body = new URLSearchParams({ ...fields, request: fieldIn(page, 'request'), token: tokenIn(page) });
      return async () => {
        const response = await browser.visit('/account/create-token', { method: 'POST', body });
        return { status: response.status, token: /readonly value="([^"]+)"/.exec(await response.text())?.[1] };
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('a personal token that is being made', () => {
  it('an ending of the person at any step leaves no token that is not marked', async () => {
    await using running = await start();
    const { stepped, server, clock, endPerson, isRefused, formOf } = running;
    const send = await formOf(new Browser(server));
    let subject = '';
    const steps = await stepped.count(async () => {
      subject = decodeJwt((await send()).token ?? '').sub ?? '';
    });
    expect(steps).toBeGreaterThan(10);
    for (let step = 0; step < steps; step += 1) {
      // Sign-ins of the last seconds have ended too.
      clock.advance(10);
      const again = await formOf(new Browser(server));
      const { token } = await stepped.between({ step, other: () => endPerson(subject) }, again);
      expect(token === undefined || (await isRefused(token)), `step ${step} of ${steps}`).toBe(true);
    }
  });

  it('a person makes a hundred tokens in a day at most, whether they end them or not', async () => {
    await using running = await start();
    const browser = new Browser(running.server);
    await openPage(browser);
    const page = async () => (await browser.visit('/account')).text();
    const token = tokenIn(await page());
    for (let n = 0; n < 100; n += 1) {
      const fields = { name: 'laptop', lifetime: '604800', resource: `${RESOURCE.url}/mcp`, scope: 'read' };
      const body = new URLSearchParams({ ...fields, request: String(n), token });
      const made = await browser.visit('/account/create-token', { method: 'POST', body });
      const shown = /readonly value="([^"]+)"/.exec(await made.text())?.[1] ?? '';
      const end = new URLSearchParams({ id: String(decodeJwt(shown).jti), token });
      await browser.visit('/account/end-token', { method: 'POST', body: end });
    }
    const body = new URLSearchParams({ name: 'one more', request: 'one more', token });
    const refused = await browser.visit('/account/create-token', { method: 'POST', body });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
  });
});
