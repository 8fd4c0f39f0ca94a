/** Proves that a person is asked once for one account, whichever calls need it and at whichever replica. */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createLinks } from '../../src/connecting/links.ts';
import { createQuestions, type QuestionState } from '../../src/connecting/questions.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const PURPOSE = { accountId: 'alice', clientId: 'notes', connector: 'github', scopes: ['read:user', 'repo'] };

function setUp() {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  const links = createLinks({ issuer: 'https://as.example', store, random: randomBytes });
  let made = 0;
  const at = (keyed = store) => {
    const questions = createQuestions({ links, store: keyed, clock });
    const ask = (wish: 'link' | 'news' | 'decline', link?: string, purpose = PURPOSE) =>
      questions.ask(purpose, { wish, link }, async () => {
        made += 1;
      });
    return { ask, wants: async (link?: string, purpose = PURPOSE) => shownIn(await ask('link', link, purpose)) };
  };
  return { clock, store, links, ...at(), at, made: () => made };
}

const shownIn = (state: QuestionState) => {
  if (state.kind !== 'link') throw new Error(`the answer is ${state.kind}`);
  return state;
};

describe('the question for an account', () => {
  it('one of a hundred calls at once shows the link, and the others wait for the same link', async () => {
    const { wants, at, made } = setUp();
    const other = at();
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? other : { wants }).wants()));
    expect(new Set(all.map(({ uri }) => uri)).size).toBe(1);
    expect(all.filter(({ isShown }) => !isShown)).toHaveLength(1);
    expect(made()).toBe(1);
  });

  it.each([
    ['person', { accountId: 'bob' }],
    ['client', { clientId: 'desk' }],
    ['connector', { connector: 'google' }],
    ['set of scopes', { scopes: ['repo'] }],
  ])('another %s has a link of its own', async (_, other) => {
    const { wants } = setUp();
    const { uri } = await wants();
    const second = await wants(undefined, { ...PURPOSE, ...other });
    expect([second.uri === uri, second.isShown]).toEqual([false, false]);
  });

  it('while the call that shows the link asks for news, no other one shows it; once it has gone, one other shows the same link', async () => {
    const { wants, ask, clock } = setUp();
    const { uri } = await wants();
    for (let n = 0; n < 20; n += 1) {
      clock.advance(2);
      expect(await ask('news', uri)).toEqual({ kind: 'open' });
      expect(await wants(uri)).toMatchObject({ uri, isShown: true });
    }
    clock.advance(15);
    expect(await Promise.all([wants(uri), wants(uri)])).toMatchObject([
      { uri, isShown: false, expiresIn: 545 },
      { uri, isShown: true },
    ]);
  });

  it('a new call half a minute later shows the same link too, since its person may be at another device', async () => {
    const { wants, ask, clock, made } = setUp();
    const { uri } = await wants();
    for (let n = 0; n < 14; n += 1) {
      clock.advance(2);
      await ask('news', uri);
    }
    expect(await wants(), 'a call of the same moment').toMatchObject({ uri, isShown: true });
    clock.advance(2);
    expect(await Promise.all([wants(), wants()])).toMatchObject([
      { uri, isShown: false },
      { uri, isShown: true },
    ]);
    expect([await wants(uri), made()]).toMatchObject([{ uri, isShown: true }, 1]);
  });

  it('calls that have seen a link wait while the person is at the upstream, and a new call gets a new link', async () => {
    const { wants, links } = setUp();
    const { uri } = await wants();
    await links.take(links.handleIn(uri) ?? '');
    expect(await wants(uri)).toMatchObject({ uri, isShown: true });
    const second = await wants();
    expect([second.uri === uri, second.isShown]).toEqual([false, false]);
    expect(await wants(uri), 'the newest question is the one').toMatchObject({ uri: second.uri, isShown: true });
  });

  it('a link that is about to end is shown to nobody', async () => {
    const { wants, clock } = setUp();
    const { uri } = await wants();
    clock.advance(545);
    const second = await wants();
    expect([second.uri === uri, second.expiresIn]).toEqual([false, 600]);
  });

  it('a person who declines ends the wait of all calls for this link, and the next call makes a new one', async () => {
    const { wants, ask } = setUp();
    const { uri } = await wants();
    expect(await ask('decline', uri)).toEqual({ kind: 'declined' });
    expect([await ask('news', uri), await ask('link', uri)]).toEqual([{ kind: 'declined' }, { kind: 'declined' }]);
    const second = await wants();
    expect([second.uri === uri, second.isShown]).toEqual([false, false]);
    expect(await ask('news', second.uri)).toEqual({ kind: 'open' });
  });

  it.each([
    ['person', { accountId: 'mallory' }],
    ['client', { clientId: 'evil' }],
    ['connector', { connector: 'google' }],
  ])('nobody declines a link of another %s', async (_, other) => {
    const { wants, ask } = setUp();
    const { uri } = await wants();
    expect(await ask('decline', uri, { ...PURPOSE, ...other })).toEqual({ kind: 'open' });
    expect(await ask('news', uri)).toEqual({ kind: 'open' });
    expect(await wants()).toMatchObject({ uri, isShown: true });
  });

  it('nobody reads what became of the link of another person', async () => {
    const { wants, ask } = setUp();
    const { uri } = await wants();
    await ask('decline', uri);
    expect(await ask('news', uri, { ...PURPOSE, accountId: 'mallory' })).toEqual({ kind: 'open' });
  });

  it.each(['https://evil.example/connect/x', 'https://as.example/connect/', '', 'https://as.example/connect/a/../b'])(
    'the link %j, which is none of this server, is answered as no link',
    async (link) => {
      const { ask, wants } = setUp();
      expect([await ask('news', link), await ask('decline', link)]).toEqual([{ kind: 'open' }, { kind: 'open' }]);
      expect(await wants(link)).toMatchObject({ isShown: false });
    },
  );

  it('the store has no link that could be opened, and a question whose key is gone is asked anew', async () => {
    const { at, store, links } = setUp();
    const [key, later] = [randomBytes(32), randomBytes(32)];
    const written: string[] = [];
    const spied = {
      ...store,
      putIfAbsent: (...given: Parameters<typeof store.putIfAbsent>) => {
        written.push(JSON.stringify(given));
        return store.putIfAbsent(...given);
      },
    };
    const { uri } = await at(createSealedStore(spied, [key])).wants();
    expect(written).toHaveLength(1);
    expect(written.join()).not.toContain(links.handleIn(uri));
    expect((await at(createSealedStore(store, [later])).wants()).uri).not.toBe(uri);
  });
});
