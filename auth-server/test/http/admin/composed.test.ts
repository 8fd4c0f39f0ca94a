/** Proves the pages of the operator in a whole server: what people connected, and what was refused. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, register } from '../../support/client.ts';
import { openPage } from '../../support/page-visitor.ts';
import { type RunningServer, startServer } from '../../support/running-server.ts';

const ENV = { ADMINS: 'email:alice@acme.example', PEOPLE_DENY: 'email:mallory@acme.example' };

/** The overview as an admin reads it, until it has the words. */
async function overview(server: RunningServer, words: string): Promise<string> {
  const browser = new Browser(server);
  await openPage(browser, '/admin');
  for (;;) {
    const { page } = await browser.follow('/admin');
    const markup = (await page?.text()) ?? '';
    if (markup.includes(words)) return markup;
  }
}

/** The reference that a page shows to a person. */
function referenceIn(markup = ''): string {
  const [, reference] = /<code>([\w-]+)<\/code><\/footer>/.exec(markup) ?? [];
  if (reference === undefined) throw new Error(`no reference in ${markup}`);
  return reference;
}

describe('the pages of the operator in a whole server', () => {
  it('an approval is listed with its person and its client', async () => {
    await using server = await startServer({ env: ENV });
    const client = await register(server);
    const { code } = await authorize(server, client, {}, { person: 'bob' });
    await redeem(server, client, code);
    const browser = new Browser(server);
    const page = await openPage(browser, '/admin');
    const markup = await page.text();
    expect(markup).toContain('bob@acme.example');
    // The last sign-in.
    expect(markup).toMatch(/<bdi>acme<\/bdi><\/td><td><time/);
  });

  it('a person whom a rule refuses is on every replica with the rule and the reference on their page, and no name', async () => {
    const [store, directory] = [
      createSqliteStore(':memory:', systemClock),
      createSqliteDirectory(':memory:', systemClock),
    ];
    await using server = await startServer({ env: ENV, store, directory });
    await using replica = await startServer({ env: ENV, store, directory });
    const browser = new Browser(server);
    const { page: first } = await browser.follow(authorizePath(await register(server)));
    const { page } = await browser.signIn(first, 'mallory');
    const reference = referenceIn(await page?.text());
    for (const one of [server, replica]) {
      const markup = await overview(one, reference);
      expect(markup).toContain('denied by email:mallory@acme.example');
      expect(markup).toContain('sign-in.refused');
    }
  });

  it('a request of an unknown client is a refusal, and a path that does not exist is none', async () => {
    await using server = await startServer({ env: ENV });
    const browser = new Browser(server);
    await browser.follow('/nothing');
    const { page } = await browser.follow('/authorize?client_id=nobody&response_type=code');
    const markup = await overview(server, referenceIn(await page?.text()));
    expect(markup).toContain('authorization.refused');
    expect(markup).toContain('Refusals of the last hour: 1<');
  });

  it('a person who is denied meanwhile is no admin any more', async () => {
    const [store, directory] = [
      createSqliteStore(':memory:', systemClock),
      createSqliteDirectory(':memory:', systemClock),
    ];
    await using server = await startServer({ env: ENV, store, directory });
    await using strict = await startServer({
      env: { ...ENV, PEOPLE_DENY: 'email:alice@acme.example' },
      store,
      directory,
    });
    const browser = new Browser(server);
    expect((await openPage(browser, '/admin')).status).toBe(200);
    const moved = new Browser(strict);
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await moved.visit('/admin', { headers: { cookie } })).status).toBe(303);
  });

  it('without ADMINS there is no page and no record of refusals', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    await using server = await startServer({ store });
    const browser = new Browser(server);
    await openPage(browser, '/account');
    await browser.follow('/authorize?client_id=nobody&response_type=code');
    for (const path of ['/admin', '/admin/people']) expect((await browser.visit(path)).status).toBe(404);
    expect(await store.get('RecentRefusals', 'all')).toBeUndefined();
  });
});
