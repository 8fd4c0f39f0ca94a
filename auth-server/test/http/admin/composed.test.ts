/** Proves the pages of the operator in a whole server: what people connected, what was refused, and what ends. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { pathToEnd } from '../../../src/administration/ending-path.ts';
import { localSubject } from '../../../src/federation/subject.ts';
import { createKeyStore } from '../../../src/keys/key-store.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register } from '../../support/client.ts';
import { comeBack, openPage } from '../../support/page-visitor.ts';
import { ISSUER, type RunningServer, read, startServer } from '../../support/running-server.ts';

const ENV = { ADMINS: 'email:alice@acme.example', PEOPLE_DENY: 'email:mallory@acme.example' };

/** The overview as an admin reads it, until it has the words. */
async function overview(server: RunningServer, words: string): Promise<string> {
  const browser = new Browser(server);
  await openPage(browser, '/admin');
  for (;;) {
    const { page } = await browser.follow('/admin');
    const markup = (await page?.text()) ?? '';
    if (page?.status !== 200) throw new Error(`no overview but ${page?.status}`);
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
  it.each(['grant', 'client', 'person', 'everything'])(
    'the admin ends what Bob approved by the link for %s, after a new sign-in, with one entry of the log',
    async (kind) => {
      const clock = new FakeClock();
      await using server = await startServer({ env: ENV, clock, store: createSqliteStore(':memory:', clock) });
      const client = await register(server);
      const { code } = await authorize(server, client, {}, { person: 'bob' });
      const tokens = await read(await redeem(server, client, code));
      clock.advance(1);
      const browser = new Browser(server);
      const markup = await (await openPage(browser, '/admin')).text();
      expect(markup).toContain('bob@acme.example');
      expect(markup).toMatch(/version \d+, 1048576 entries/);
      // The last sign-in.
      expect(markup).toMatch(/<bdi>acme<\/bdi><\/td><td><time/);
      const [, path = ''] = new RegExp(`href="(/admin/end/${kind}[\\w/-]*)"`).exec(markup) ?? [];
      const { outside } = await browser.follow(path);
      const shown = await (await comeBack(browser, outside, 'alice')).text();
      const fields = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
      const body = new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]));
      const done = await browser.visit(path, { method: 'POST', body, headers: { origin: ISSUER } });
      const answer = await done.text();
      expect([done.status, answer]).toEqual([200, expect.stringContaining('Grants: 1.')]);
      const refused = await refresh(server, client, tokens.refresh_token);
      expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_grant']);
      const ended = server.log.filter(({ msg }) => msg === 'access ended');
      expect(ended).toMatchObject([{ by: 'admin', grants: 1, target: { kind }, request: referenceIn(answer) }]);
      const actor = localSubject({ issuer: 'https://acme.example', subject: 'alice' });
      expect(ended[0]?.actor).toBe(actor);
      expect(server.entries.filter(({ event }) => event === 'access.ended')).toEqual([
        expect.objectContaining({
          reason: 'admin',
          reference: referenceIn(answer),
          from: expect.any(String),
          details: expect.objectContaining({ target: kind, actor }),
        }),
      ]);
    },
  );

  it('ADR 9 the key of personal tokens is on the page with its state, and the admin ends it there', async () => {
    const clock = new FakeClock();
    const store = createSqliteStore(':memory:', clock);
    await using server = await startServer({ env: { ...ENV, PERSONAL_TOKENS: 'services' }, clock, store });
    const personal = createKeyStore(store, 'personal');
    const kids = async () => (await personal.load())?.ring.map(({ key }) => key.kid) ?? [];
    const [kid = ''] = await kids();
    const browser = new Browser(server);
    const markup = await (await openPage(browser, '/admin')).text();
    expect(markup).toMatch(
      new RegExp(`<code>${kid}</code></span></td><td>\\w+</td><td>personal tokens</td><td>active</td>`),
    );
    const path = `/admin${pathToEnd('key', kid)}`;
    const { outside } = await browser.follow(path);
    const shown = await (await comeBack(browser, outside, 'alice')).text();
    expect(shown).toContain('People and the operator have to make new tokens.');
    const fields = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const body = new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]));
    expect((await browser.visit(path, { method: 'POST', body, headers: { origin: ISSUER } })).status).toBe(200);
    expect(await kids()).toEqual([expect.not.stringMatching(kid)]);
    expect(server.entries).toContainEqual(
      expect.objectContaining({ event: 'access.ended', details: expect.objectContaining({ target: 'key', kid }) }),
    );
    // Switched off, no key is published, and so none is to be ended.
    await using other = await startServer({ env: ENV, clock, store });
    expect(await (await openPage(new Browser(other), '/admin')).text()).not.toContain('personal tokens');
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
    for (const path of ['/admin', `/admin${pathToEnd('grant', 'x')}`])
      expect((await browser.visit(path)).status).toBe(404);
    expect(await store.get('RecentRefusals', 'all')).toBeUndefined();
  });
});
