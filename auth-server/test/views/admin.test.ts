/** Proves that the pages of the operator show text of other people as text only (CWE-79), and bound what they show. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announced } from '../../src/administration/ending.ts';
import { brandOf } from '../../src/branding/brand.ts';
import { createAdminPages } from '../../src/views/admin/pages.ts';
import { fakeAdministration, type Rows, someRows } from '../administration/administration-fake.ts';

const pages = createAdminPages(brandOf({ brandName: 'Acme' }), '/auth/admin');

async function everyPage(rows: Rows): Promise<readonly string[]> {
  const administration = fakeAdministration(rows);
  const [people, clients, grants] = [{ rows: [rows.person] }, { rows: [rows.client] }, { rows: [rows.grant] }];
  const shown = {
    now: 1_767_225_600,
    versions: administration.versions,
    people,
    clients,
    grants,
    keys: [rows.key],
    refusals: rows.refusals,
    statusList: await administration.statusList(),
  };
  const endings = await Promise.all(
    [
      { kind: 'grant', id: rows.grant.id } as const,
      { kind: 'client', id: rows.client.clientId } as const,
      { kind: 'person', accountId: rows.person.accountId } as const,
      { kind: 'key', kid: rows.key.kid } as const,
    ].map((target) => announced(target, administration)),
  );
  return [
    pages.overview(shown),
    pages.list({ rows: { list: 'people', listed: { ...people, next: rows.person.accountId } } }),
    pages.list({ rows: { list: 'clients', listed: clients } }),
    pages.list({
      rows: {
        list: 'grants',
        listed: { ...grants, next: 'x' },
        whose: { client: rows.client.clientId },
        named: rows.client.name,
      },
    }),
    pages.list({ rows: { list: 'refusals', listed: { rows: rows.refusals } } }),
    pages.search({ text: rows.client.name ?? '', people: [rows.person], clients: [rows.client], isPartial: true }),
    ...endings.flatMap((ending) =>
      ending ? [pages.confirm({ ending, action: '/x', token: 't', hasChanged: true })] : [],
    ),
    pages.ended({ what: 'this grant', grants: 1, reference: 'reference' }),
  ];
}

/** The elements and attributes of a page, without texts and values. */
const skeleton = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll(/="[^"]*"/g, '=""')
    .replaceAll(/>[^<]*/g, '>');

describe('the pages of the operator', () => {
  it('no text of a person, a client or a refusal adds an element or an attribute', async () => {
    const plain = (await everyPage(rowsWith('x', 'y'))).map(skeleton);
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '" onmouseover="x',
        "'><img src=x onerror=x>",
        '</title><h1>',
        '&lt;',
        '\u202e<b>',
      ),
    );
    await fc.assert(
      fc.asyncProperty(text, text, async (name, id) => {
        const found = (await everyPage(rowsWith(`x${name}`, `y${id}`))).map(skeleton);
        expect(found).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });

  it('every page is in English, has the brand in its title and no script', async () => {
    for (const page of await everyPage(rowsWith('x', 'y'))) {
      expect(page).toContain('<html lang="en"');
      expect(page).toMatch(/<title>[^<]+ · Acme<\/title>/);
      expect(page).not.toContain('<script');
    }
  });

  it('the overview shows who is connected, what was refused and why, keys, status list and versions', async () => {
    const rows = { ...someRows(), refusals: [refusal('no rule allows this person', 'ref-1')] };
    const [overview = ''] = await everyPage(rows);
    for (const words of [
      'alice@example.com', 'Notes', 'mcp:tools', 'sign-in.refused', 'docs/audit.md', 'no rule allows this person', 'ref-1',
      'key-1', 'list-1', 'version 7', '1.2.3', '9.9.9', 'v24.0.0', '2026-01-01 00:00',
    ]) expect(overview).toContain(words); // biome-ignore format: one list
  });

  it('links go to pages below the issuer, with the id in their path', async () => {
    const [overview = ''] = await everyPage(someRows());
    expect(overview).toContain(`href="/auth/admin/end/grant/${Buffer.from('grant-1').toString('base64url')}"`);
    expect(overview).toContain('href="/auth/admin/grants?person=subject-1"');
    expect(overview).toContain('aria-label="End person alice@example.com"');
  });

  it('a client with ten thousand names of grants is cut', async () => {
    const ending = {
      target: { kind: 'person', accountId: 'a' },
      what: 'all access of this person',
      facts: [{ title: 'Grants for', value: Array.from({ length: 10_000 }, (_, index) => `app ${index}`) }],
      consequences: [],
    } as const;
    const page = pages.confirm({ ending, action: '/x', token: 't' });
    expect(page).toContain('and 9980 more');
    expect(page.length).toBeLessThan(20_000);
  });

  it('the stylesheet is the one that its header allows', async () => {
    const [overview = ''] = await everyPage(someRows());
    const style = /<style>(.*?)<\/style>/s.exec(overview)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(pages.headers['Content-Security-Policy']).toContain(hash);
  });
});

const refusal = (reason: string, reference: string) =>
  ({ at: 1_767_225_600, what: 'person', event: 'sign-in.refused', reason, reference, client: reference }) as const;

function rowsWith(name: string, id: string): Rows {
  const rows = someRows();
  const person = { ...rows.person, name, address: name, connector: name, accountId: id };
  const client = { ...rows.client, name, clientId: id };
  return {
    person,
    client,
    grant: { ...rows.grant, id, person, client, scopes: [name], resources: [name], organisation: name },
    key: { ...rows.key, kid: id },
    refusals: [refusal(name, id)],
  };
}
