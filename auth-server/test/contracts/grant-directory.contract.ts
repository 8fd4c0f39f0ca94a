/** Owns the contract of every backend of the directory of grants; the test of each backend calls it with a function that opens one. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GrantDirectory, GrantEntry, Page } from '../../src/revocation/grant-directory.ts';

export interface DirectoryUnderTest {
  /** Opens the same data each time it is called within one test. */
  open(clock: FakeClock): Promise<GrantDirectory>;
  /** Called after each test. */
  clean(): Promise<void>;
}

const LIFETIME = 1_000;
const MANY = 250;

export function grantDirectoryContract(name: string, { open, clean }: DirectoryUnderTest): void {
  describe(`directory of grants on ${name}`, () => {
    let clock: FakeClock;
    let directory: GrantDirectory;
    let other: GrantDirectory;

    beforeEach(async () => {
      clock = new FakeClock();
      directory = await open(clock);
      other = await open(clock);
    });
    afterEach(async () => {
      await Promise.all([directory.close(), other.close()]);
      await clean();
    });

    const now = () => Math.floor(clock.now() / 1000);
    const entry = (id: string, members: Partial<GrantEntry> = {}): GrantEntry => ({
      id,
      accountId: 'ada',
      clientId: 'desk',
      resources: ['https://mcp.example/mcp'],
      scopes: ['mcp:tools'],
      via: 'browser',
      createdAt: now(),
      lastUsedAt: now(),
      expiresAt: now() + LIFETIME,
      ...members,
    });
    async function all<T>(read: (cursor?: string) => Promise<Page<T>>): Promise<readonly T[]> {
      const { items, next } = await read();
      const found = [...items];
      for (let cursor = next; cursor !== undefined; ) {
        const page = await read(cursor);
        found.push(...page.items);
        cursor = page.next;
      }
      return found;
    }
    const idsOf = (entries: readonly GrantEntry[]) => entries.map(({ id }) => id).sort();

    it('an entry is read back as it was put, and a second put replaces it', async () => {
      const first = entry('a', { organisation: 'Épicerie', via: 'device' });
      await directory.put(first);
      expect(await other.get('a')).toEqual(first);
      const second = entry('a', { scopes: ['mcp:admin'], expiresAt: now() + 2 * LIFETIME });
      await other.put(second);
      expect(await directory.get('a')).toEqual(second);
      expect((await directory.list()).items).toEqual([second]);
      expect(await directory.get('b')).toBeUndefined();
    });

    it('a use is noted, never moves backward, and creates no entry', async () => {
      await directory.put(entry('a'));
      expect(await other.touch('a', now() + 5)).toBe(true);
      expect(await other.touch('a', now() + 3)).toBe(true);
      expect(await directory.touch('a')).toBe(true);
      expect((await directory.get('a'))?.lastUsedAt).toBe(now() + 5);
      expect(await directory.touch('b', now())).toBe(false);
      expect(await directory.touch('b')).toBe(false);
      expect(await directory.get('b')).toBeUndefined();
    });

    it('a removed entry is in no list, and the removal may be repeated', async () => {
      await directory.put(entry('a'));
      await directory.put(entry('b', { accountId: 'eve', clientId: 'cli' }));
      await other.remove('a');
      await other.remove('a');
      expect(await directory.get('a')).toBeUndefined();
      expect(idsOf((await directory.list()).items)).toEqual(['b']);
      expect((await directory.byPerson('ada')).items).toEqual([]);
      expect((await directory.byClient('desk')).items).toEqual([]);
      expect((await directory.people()).items.map(({ id }) => id)).toEqual(['eve']);
      expect((await directory.clients()).items.map(({ id }) => id)).toEqual(['cli']);
      expect((await directory.ids({ accountId: 'ada' })).items).toEqual([]);
    });

    it('an entry is in no list after its end', async () => {
      await directory.put(entry('short', { expiresAt: now() + 10 }));
      await directory.put(entry('long', { accountId: 'eve' }));
      clock.advance(10);
      await directory.put(entry('later', { accountId: 'eve' }));
      expect(idsOf((await directory.list()).items)).toEqual(['later', 'long']);
      expect((await directory.byPerson('ada')).items).toEqual([]);
      expect((await directory.people()).items.map(({ id }) => id)).toEqual(['eve']);
      expect((await directory.ids({})).items).toEqual(['long', 'later']);
    });

    it('lists are those of a person or a client, newest approval first', async () => {
      const parties = [
        { accountId: 'ada', clientId: 'desk' },
        { accountId: 'eve', clientId: 'desk' },
        { accountId: 'ada', clientId: 'cli' },
      ];
      for (const [index, { accountId, clientId }] of parties.entries()) {
        await directory.put(entry(String(index), { accountId, clientId, expiresAt: now() + LIFETIME + index }));
      }
      const ids = async (page: Promise<Page<GrantEntry>>) => (await page).items.map(({ id }) => id);
      expect(await ids(directory.list())).toEqual(['2', '1', '0']);
      expect(await ids(directory.byPerson('ada'))).toEqual(['2', '0']);
      expect(await ids(directory.byClient('desk'))).toEqual(['1', '0']);
      expect((await directory.ids({ accountId: 'ada' })).items).toEqual(['0', '2']);
      expect((await directory.ids({ clientId: 'desk' })).items).toEqual(['0', '1']);
    });

    it('people and clients are counted with their grants and their last use', async () => {
      await directory.put(entry('a', { lastUsedAt: now() + 1 }));
      await directory.put(entry('b', { clientId: 'cli', lastUsedAt: now() + 7 }));
      await directory.put(entry('c', { accountId: 'eve', expiresAt: now() + 2 * LIFETIME }));
      expect((await directory.people()).items).toEqual([
        { id: 'eve', grants: 1, lastUsedAt: now() },
        { id: 'ada', grants: 2, lastUsedAt: now() + 7 },
      ]);
      expect((await directory.clients()).items).toEqual([
        { id: 'desk', grants: 2, lastUsedAt: now() + 1 },
        { id: 'cli', grants: 1, lastUsedAt: now() + 7 },
      ]);
    });

    it(`${MANY} entries that expire in the same second are listed in pages, each once`, async () => {
      const names = Array.from({ length: MANY }, (_, n) => `grant-${n}`);
      await Promise.all(
        names.map((id) => directory.put(entry(id, { accountId: `person-${id}`, clientId: `of ${id}` }))),
      );
      expect((await directory.list()).items.length).toBeLessThan(MANY);
      expect(idsOf(await all((cursor) => directory.list(cursor)))).toEqual([...names].sort());
      expect([...(await all((cursor) => directory.ids({}, cursor)))].sort()).toEqual([...names].sort());
      const people = await all((cursor) => directory.people(cursor));
      expect(people.map(({ id }) => id).sort()).toEqual(names.map((id) => `person-${id}`).sort());
      expect(await all((cursor) => directory.clients(cursor))).toHaveLength(MANY);
    });

    it('an ending finds every grant, although the earlier ones are removed and the others renewed meanwhile', async () => {
      const names = Array.from({ length: MANY }, (_, n) => `grant-${n}`);
      await Promise.all(names.map((id) => directory.put(entry(id))));
      const found = new Set<string>();
      for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page += 1) {
        const { items, next } = await directory.ids({ accountId: 'ada' }, cursor);
        for (const id of items) found.add(id);
        await Promise.all(items.map((id) => other.remove(id)));
        const left = (await other.list()).items.slice(0, 10);
        await Promise.all(left.map(({ id }) => other.put(entry(id, { expiresAt: now() + LIFETIME + 1 + page }))));
        cursor = next;
      }
      expect([...found].sort()).toEqual([...names].sort());
    });

    it.each(['', 'x', '1; DROP', '9'.repeat(40)])('RFC 9110 §15.5.1 the cursor %j is refused', async (cursor) => {
      for (const read of [directory.list, directory.people, directory.clients]) {
        await expect(read(cursor)).rejects.toMatchObject({ status: 400 });
      }
    });
  });
}
