/** Proves that an operator approves exactly what the page showed: every fact of a target is part of its digest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announced, digestOf } from '../../src/administration/ending.ts';
import { pathToEnd, targetIn } from '../../src/administration/ending-path.ts';
import type { Target } from '../../src/revocation/endings.ts';
import { fakeAdministration, type Rows, someRows } from './administration-fake.ts';

const TARGETS: readonly Target[] = [
  { kind: 'grant', id: 'grant-1' },
  { kind: 'client', id: 'https://app.example/client.json' },
  { kind: 'person', accountId: 'subject-1' },
  { kind: 'key', kid: 'key-1' },
  { kind: 'everything', before: 1_767_225_600 },
];

const digest = async (target: Target, rows: Rows = someRows()) => {
  const ending = await announced(target, fakeAdministration(rows));
  if (!ending) throw new Error('nothing to end');
  return digestOf(ending);
};

describe('what an operator is told before something ends', () => {
  it.each(TARGETS)('$kind: the same facts have the same digest, and it is that of no other target', async (target) => {
    expect(await digest(target)).toBe(await digest(target));
    const digests = await Promise.all(TARGETS.map((one) => digest(one)));
    expect(new Set(digests).size).toBe(TARGETS.length);
  });

  it('a grant is described by person, client, scopes, server and day', async () => {
    const ending = await announced({ kind: 'grant', id: 'grant-1' }, fakeAdministration(someRows()));
    expect(ending?.facts).toEqual([
      { title: 'Person', value: ['alice@example.com', 'Alice'] },
      { title: 'Signed in with', value: 'acme' },
      { title: 'Subject', value: 'subject-1' },
      { title: 'Client', value: 'Notes' },
      { title: 'Client id', value: 'https://app.example/client.json' },
      { title: 'Scopes', value: ['mcp:tools'] },
      { title: 'MCP server', value: ['https://mcp.example/mcp'] },
      { title: 'Approved', value: '', at: 1_767_225_600 },
    ]);
  });

  it.each([
    ['more scopes', { scopes: ['mcp:tools', 'mcp:admin'] }],
    ['another server', { resources: ['https://other.example/mcp'] }],
    ['another organisation', { organisation: 'acme' }],
    ['a later approval', { createdAt: 1_767_225_601 }],
  ])('a grant with %s has another digest', async (_what, change) => {
    const rows = someRows();
    const [grant] = TARGETS as [Target];
    expect(await digest(grant, { ...rows, grant: { ...rows.grant, ...change } })).not.toBe(await digest(grant));
  });

  it('a use of the grant or of the client changes no digest, so that what is in use can be ended', async () => {
    const rows = someRows();
    const used = { ...rows, grant: { ...rows.grant, lastUsedAt: 1_767_240_000 } };
    const grown = { ...rows, client: { ...rows.client, people: { count: 99, orMore: true } } };
    expect(await digest({ kind: 'grant', id: 'grant-1' }, used)).toBe(await digest({ kind: 'grant', id: 'grant-1' }));
    const client = { kind: 'client', id: rows.client.clientId } as const;
    expect(await digest(client, grown)).toBe(await digest(client));
  });

  it.each([
    { kind: 'grant', id: 'grant-2' },
    { kind: 'client', id: 'grant-1' },
    { kind: 'person', accountId: '' },
    { kind: 'key', kid: '<script>' },
  ] as const)('there is nothing to end for an unknown id: $kind', async (target) => {
    expect(await announced(target, fakeAdministration(someRows()))).toBeUndefined();
  });
});

describe('the path of an ending', () => {
  it('the path of an ending leads back to the same id, whatever its text', () => {
    const ids = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(fc.constantFrom('grant', 'client', 'person', 'key'), ids, (kind, id) => {
        const path = pathToEnd(kind, id);
        expect(path).toMatch(/^\/end\/\w+\/[\w-]+$/);
        expect(Object.values(targetIn(path) ?? {})).toEqual([kind, id]);
      }),
    );
  });

  it.each([
    '/end/grant/',
    '/end/grant/a=',
    '/end/grant/_w',
    '/end/grant/QR',
    '/end/grant/QQ/x',
    '/end/session/QQ',
    '/end',
    '/End/grant/QQ',
  ])('%s is no path of an ending', (path) => {
    expect(targetIn(path)).toBeUndefined();
  });
});
