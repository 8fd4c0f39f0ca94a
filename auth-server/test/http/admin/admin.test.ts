/** Proves who gets the pages of the operator: whom ADMINS names, as long as the provider and the rules say so, and nobody else. */
import { describe, expect, it } from 'vitest';
import { pathToEnd } from '../../../src/administration/ending-path.ts';
import { ALICE, openSite } from './admin-site.ts';

const GRANT = `/admin${pathToEnd('grant', 'grant-1')}`;
const PAGES = [
  '/admin',
  '/admin/people',
  '/admin/clients',
  '/admin/grants',
  '/admin/refusals',
  '/admin/search?for=a',
  GRANT,
];

/** What a path that does not exist answers, without the time. */
const answerOf = async (response: Response) => [
  response.status,
  [...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
  await response.text(),
];

describe('the pages of the operator', () => {
  it('without ADMINS every page answers as a path that does not exist, with and without a session', async () => {
    await using site = await openSite();
    for (const browser of [await site.browse(), await site.browse('alice')]) {
      const nothing = await answerOf(await browser.ask('/nothing'));
      for (const path of PAGES) expect(await answerOf(await browser.ask(path))).toEqual(nothing);
      expect((await browser.post(GRANT, {})).status).toBe(404);
    }
  });

  it.each([
    ['is somebody else', { ...ALICE, email: 'bob@example.com', verifiedEmails: ['bob@example.com'] }],
    [
      'has the address unverified',
      { ...ALICE, email: undefined, verifiedEmails: [], unverifiedEmail: 'alice@example.com' },
    ],
    ['has the address as a name', { ...ALICE, email: undefined, verifiedEmails: [], name: 'alice@example.com' }],
  ])('a person who %s gets the answer of a path that does not exist, whatever the method', async (_what, identity) => {
    await using site = await openSite('email:alice@example.com');
    await site.person('bob', identity);
    const browser = await site.browse('bob');
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const nothing = await answerOf(await browser.ask('/nothing', { method }));
      for (const path of PAGES) expect(await answerOf(await browser.ask(path, { method }))).toEqual(nothing);
    }
    expect(site.ended).toEqual([]);
  });

  it('an admin gets every page, and a HEAD without its body', async () => {
    await using site = await openSite('group:ops');
    const browser = await site.browse('alice');
    for (const path of PAGES) {
      const shown = await browser.ask(path);
      expect([path, shown.status]).toEqual([path, 200]);
      expect(shown.headers.get('cache-control')).toBe('no-store');
      expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect((await browser.ask(path, { method: 'HEAD' })).status).toBe(200);
    }
  });

  it('somebody who is not signed in is sent to sign in, and comes back to the page', async () => {
    await using site = await openSite('group:ops');
    const browser = await site.browse();
    const sent = await browser.ask('/admin/people');
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/sign-in?to=%2Fadmin%2Fpeople']);
  });

  it('an admin whose group was taken away meanwhile gets nothing any more, and ends nothing', async () => {
    await using site = await openSite('group:ops');
    const browser = await site.browse('alice');
    const fields = await browser.fieldsAt(GRANT);
    await site.person('alice', { ...ALICE, memberships: { group: ['dev'] } });
    expect((await browser.ask('/admin')).status).toBe(404);
    expect((await browser.post(GRANT, fields)).status).toBe(404);
    expect(site.ended).toEqual([]);
  });

  it('an admin is sent to sign in every hour, because nobody else asks the provider whether the group is still theirs', async () => {
    await using site = await openSite('group:ops');
    const browser = await site.browse('alice');
    const ask = async () => {
      site.clock.advance(1_500);
      const { status, headers } = await browser.ask('/admin');
      return [status, headers.get('location')];
    };
    expect([await ask(), await ask()]).toEqual([
      [200, null],
      [200, null],
    ]);
    expect(await ask()).toEqual([303, '/sign-in?to=%2Fadmin']);
  });

  it.each(['/administrator', '/admin/nothing', '/admin/end', '/admin/end/grant', '/admin//people', '/admin/people/x'])(
    '%s does not exist for an admin either',
    async (path) => {
      await using site = await openSite('group:ops');
      expect((await (await site.browse('alice')).ask(path)).status).toBe(404);
    },
  );

  it('a parameter that is there twice, or a person and a client at once, is refused', async () => {
    await using site = await openSite('group:ops');
    const browser = await site.browse('alice');
    for (const query of ['after=a&after=b', 'person=a&client=b', 'person=a&person=b']) {
      expect((await browser.ask(`/admin/grants?${query}`)).status).toBe(400);
    }
  });
});
