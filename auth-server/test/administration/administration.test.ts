/** Proves what the rows of the operator's pages are made of: the directory of grants, the accounts and the clients. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createAdministration } from '../../src/administration/administration.ts';
import { search } from '../../src/administration/search.ts';
import { createAccounts } from '../../src/federation/account.ts';
import { newKeyring } from '../../src/keys/keyring.ts';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const CLIENTS: Readonly<Record<string, string>> = { cursor: 'Cursor', portal: 'Portal' };

async function open() {
  const clock = new FakeClock();
  const now = clock.now() / 1000;
  const accounts = createAccounts(createSqliteStore(':memory:', clock), 100_000);
  const directory = createSqliteDirectory(':memory:', clock);
  let reads = 0;
  const ring = newKeyring(await generateSigningKey('ES256'), now);
  const personal = newKeyring(await generateSigningKey('EdDSA'), now - 60);
  const administration = createAdministration({
    clock,
    directory,
    accounts: {
      find: (id) => {
        reads += 1;
        return accounts.find(id);
      },
    },
    describeClient: async (id) => {
      const name = CLIENTS[id];
      return name === undefined ? { origin: 'removed' } : { name, origin: id === 'portal' ? 'operator' : 'registered' };
    },
    keyrings: async () => ({ signing: ring, personal }),
    refusals: { recent: async () => [] },
    statusList: async () => undefined,
    versions: { server: '1', engine: '2', node: '3' },
  });
  const grant = (id: string, accountId: string, clientId: string, age = 0) =>
    directory.put({
      id,
      accountId,
      clientId,
      resources: ['https://mcp.example/mcp'],
      scopes: ['mcp:tools'],
      via: 'browser',
      createdAt: now - age,
      lastUsedAt: now - age,
      expiresAt: now + 1_000 - age,
    });
  const person = (accountId: string, email: string, signedInAt = now) =>
    accounts.save({
      accountId,
      connector: 'acme',
      identity: { issuer: 'https://acme.example', subject: accountId, name: `Name of ${accountId}`, email },
      signedInAt,
    });
  return { administration, grant, person, now, ring, personal, reads: () => reads };
}

describe('the rows of the pages of the operator', () => {
  it('a grant has its person and its client, also when neither is stored any more', async () => {
    const { administration, grant, person, now } = await open();
    await person('alice', 'alice@example.com');
    await grant('g1', 'alice', 'cursor');
    await grant('g2', 'gone', 'removed', 1);
    expect((await administration.grants({})).rows).toMatchObject([
      {
        id: 'g1',
        person: { accountId: 'alice', address: 'alice@example.com', name: 'Name of alice', connector: 'acme' },
        client: { clientId: 'cursor', name: 'Cursor', origin: 'registered' },
        createdAt: now,
      },
      { id: 'g2', person: { accountId: 'gone', name: undefined }, client: { clientId: 'removed', origin: 'removed' } },
    ]);
    expect(await administration.person('gone')).toBeDefined();
    expect(await administration.client('removed')).toBeDefined();
    expect(await administration.person('nobody')).toBeUndefined();
    expect(await administration.client('none')).toBeUndefined();
    expect(await administration.grant('none')).toBeUndefined();
    expect((await administration.client('portal'))?.people).toEqual({ count: 0, orMore: false });
  });

  it('people have their last sign-in and number of grants, clients how many people approved them', async () => {
    const { administration, grant, person, now } = await open();
    await person('alice', 'alice@example.com', now - 5);
    await grant('g1', 'alice', 'cursor');
    await grant('g2', 'alice', 'portal', 1);
    await grant('g3', 'bob', 'cursor', 2);
    const { people, clients } = await administration.newest(5);
    expect(people.rows).toMatchObject([
      { accountId: 'alice', signedInAt: now - 5, grants: 2 },
      { accountId: 'bob', grants: 1 },
    ]);
    expect(clients.rows).toMatchObject([
      { clientId: 'cursor', people: { count: 2, orMore: false }, lastUsedAt: now },
      { clientId: 'portal', people: { count: 1, orMore: false } },
    ]);
  });

  it('the overview reads no more rows than it shows, and a page reads a person once', async () => {
    const { administration, grant, reads } = await open();
    for (let index = 0; index < 50; index += 1) await grant(`g${index}`, `p${index}`, 'cursor', index);
    const { people, grants } = await administration.newest(5);
    expect([people.rows.length, grants.rows.length, people.next !== undefined]).toEqual([5, 5, true]);
    expect(reads()).toBe(10);
    for (let index = 0; index < 50; index += 1) await grant(`h${index}`, 'same', 'portal', index);
    expect((await administration.grants({ person: 'same' })).rows).toHaveLength(50);
    expect(reads()).toBe(11);
  });

  it('keys of both rings have their state and no private part', async () => {
    const { administration, ring, personal, now } = await open();
    const keys = await administration.keys();
    expect(keys).toEqual([
      expect.objectContaining({
        ...{ kid: ring[0].key.kid, algorithm: 'ES256', signs: 'all other tokens' },
        ...{ state: 'active', signsFrom: now },
      }),
      expect.objectContaining({
        ...{ kid: personal[0].key.kid, algorithm: 'EdDSA', signs: 'personal tokens' },
        ...{ state: 'active', signsFrom: now - 60 },
      }),
    ]);
    for (const [{ key }] of [ring, personal]) expect(JSON.stringify(keys)).not.toContain(key.d);
  });
});

describe('the search of the operator', () => {
  it('the search finds people by a part of name and address, clients by name, and whole ids, whatever the case', async () => {
    const { administration, grant, person } = await open();
    await person('alice', 'alice@example.com');
    await grant('g1', 'alice', 'cursor');
    const found = async (text: string) => {
      const { people, clients } = await search(text, administration);
      return [...people.map(({ accountId }) => accountId), ...clients.map(({ clientId }) => clientId)];
    };
    expect(await found('ALICE@')).toEqual(['alice']);
    expect(await found('name of')).toEqual(['alice']);
    expect(await found(' curs ')).toEqual(['cursor']);
    expect(await found('portal')).toEqual(['portal']);
    expect(await found('mallory')).toEqual([]);
    expect(await found('  ')).toEqual([]);
  });

  it('the search looks through a bounded number of people, and says so', async () => {
    const { administration, grant } = await open();
    for (let index = 0; index < 700; index += 1) await grant(`g${index}`, `person-${index}`, 'cursor', index);
    const { people, isPartial } = await search('person-', administration);
    expect([people.length, isPartial]).toEqual([50, true]);
    expect((await search('person-699', administration)).people.map(({ accountId }) => accountId)).toEqual([
      'person-699',
    ]);
  });
});
