/** Proves that nothing ends that an admin did not just see and confirm: forged, foreign, reused and late forms of every act. */
import { describe, expect, it } from 'vitest';
import { pathToEnd } from '../../../src/administration/ending-path.ts';
import { openSite } from './admin-site.ts';

const ACTS = [
  [`/admin${pathToEnd('grant', 'grant-1')}`, { kind: 'grant', id: 'grant-1' }],
  [
    `/admin${pathToEnd('client', 'https://app.example/client.json')}`,
    { kind: 'client', id: 'https://app.example/client.json' },
  ],
  [`/admin${pathToEnd('person', 'subject-1')}`, { kind: 'person', accountId: 'subject-1' }],
  [`/admin${pathToEnd('key', 'key-1')}`, { kind: 'key', kid: 'key-1' }],
  ['/admin/end/everything', { kind: 'everything', before: 1_767_225_600 }],
] as const;

const ADMINS = 'email:alice@example.com,email:carol@example.com';
const CAROL = { issuer: 'https://acme.example', subject: 'carol', verifiedEmails: ['carol@example.com'] };

describe.each(ACTS)('the form at %s', (path, target) => {
  it('the form ends its target once, as the admin, with the reference of the request', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const done = await browser.post(path, await browser.fieldsAt(path));
    expect(done.status).toBe(200);
    const markup = await done.text();
    expect(site.ended).toEqual([
      { target, by: { origin: 'admin', actor: 'alice', reference: done.headers.get('x-request-id') } },
    ]);
    expect(markup).toContain('<h1>Ended: ');
  });

  it('a GET or HEAD ends nothing, and other methods are refused', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const fields = await browser.fieldsAt(path);
    await browser.ask(`${path}?${new URLSearchParams(fields)}`);
    await browser.ask(path, { method: 'HEAD' });
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const refused = await browser.ask(path, {
        method,
        body: new URLSearchParams(fields),
        headers: { origin: 'http://localhost:9000' },
      });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    }
    expect(site.ended).toEqual([]);
  });

  it('CWE-352 a form without a token, with a foreign one or one of another act is refused', async () => {
    await using site = await openSite(ADMINS);
    await site.person('carol', CAROL);
    const [browser, carols, second] = await Promise.all([
      site.browse('alice'),
      site.browse('carol'),
      site.browse('alice'),
    ]);
    const own = await browser.fieldsAt(path);
    const others = await Promise.all(
      ACTS.filter(([other]) => other !== path).map(([other]) => browser.fieldsAt(other)),
    );
    const forged = [
      {},
      { ...own, token: '' },
      { ...own, token: `${own.token}x` },
      { ...own, before: '1' },
      await carols.fieldsAt(path),
      await second.fieldsAt(path),
      ...others,
    ];
    for (const fields of path.endsWith('everything')
      ? forged
      : forged.filter((one) => one.before !== '1' || !one.token)) {
      expect((await browser.post(path, fields as Record<string, string>)).status).toBe(403);
    }
    expect(site.ended).toEqual([]);
  });

  it('CWE-352 a form that is sent twice, also at once, ends its target once', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const fields = await browser.fieldsAt(path);
    const statuses = await Promise.all([1, 2, 3].map(async () => (await browser.post(path, fields)).status));
    statuses.push((await browser.post(path, fields)).status);
    expect(statuses.toSorted()).toEqual([200, 403, 403, 403]);
    expect(site.ended).toHaveLength(1);
  });

  it.each([{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])(
    'RFC 9700 §4.7 a form of another site is refused: %o',
    async (headers) => {
      await using site = await openSite(ADMINS);
      const browser = await site.browse('alice');
      expect((await browser.post(path, await browser.fieldsAt(path), headers as Record<string, string>)).status).toBe(
        403,
      );
      expect(site.ended).toEqual([]);
    },
  );

  it('a sign-in older than five minutes leads to a new one and back to the page, and ends nothing by itself', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const fields = await browser.fieldsAt(path);
    site.clock.advance(301);
    expect((await browser.ask('/admin')).status).toBe(200);
    const sent = await browser.post(path, fields);
    expect([sent.status, sent.headers.get('location')]).toEqual([303, path]);
    const asked = await browser.ask(path);
    const signIn = new URL(asked.headers.get('location') ?? '', 'http://localhost');
    expect([asked.status, signIn.pathname]).toEqual([303, '/sign-in']);
    expect(Object.fromEntries(signIn.searchParams)).toEqual({ to: path, again: '1' });
    expect(site.ended).toEqual([]);
    const again = await site.browse('alice');
    expect(await (await again.ask(path)).text()).toContain('Back, and end nothing');
    expect((await again.post(path, fields)).status).toBe(403);
    expect(site.ended).toEqual([]);
  });

  it('without a session a form leads to the sign-in and ends nothing', async () => {
    await using site = await openSite(ADMINS);
    const fields = await (await site.browse('alice')).fieldsAt(path);
    const sent = await (await site.browse()).post(path, fields);
    expect(sent.status).toBe(303);
    expect(site.ended).toEqual([]);
  });
});

describe('what an admin confirms', () => {
  it('a grant that changed since the page was shown is shown again, and then ends with the new form', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const [[path]] = ACTS;
    const fields = await browser.fieldsAt(path);
    site.rows.grant = { ...site.rows.grant, scopes: ['mcp:tools', 'mcp:admin'] };
    const shown = await browser.post(path, fields);
    const markup = await shown.text();
    expect(shown.status).toBe(409);
    expect(markup).toContain('Nothing has ended yet');
    expect(markup).toContain('mcp:admin');
    expect(site.ended).toEqual([]);
    const token = /name="token" value="([^"]*)"/.exec(markup)?.[1] ?? '';
    expect((await browser.post(path, { token })).status).toBe(200);
    expect(site.ended).toHaveLength(1);
  });

  it.each(['grant', 'client', 'person', 'key'] as const)(
    'an unknown %s, or an id with markup, is not found',
    async (kind) => {
      await using site = await openSite(ADMINS);
      const browser = await site.browse('alice');
      for (const id of ['unknown', '<script>alert(1)</script>', '../../etc/passwd', 'x'.repeat(700), '\u0000']) {
        const path = `/admin${pathToEnd(kind, id)}`;
        for (const response of [await browser.ask(path), await browser.post(path, { token: 'x' })]) {
          expect(response.status).toBe(404);
          expect(await response.text()).not.toContain('<script>');
        }
      }
      expect(site.ended).toEqual([]);
    },
  );

  it('a form of more than 2 KiB is refused', async () => {
    await using site = await openSite(ADMINS);
    const browser = await site.browse('alice');
    const [[path]] = ACTS;
    expect((await browser.post(path, { token: 'x'.repeat(10_000) })).status).toBe(413);
  });
});
