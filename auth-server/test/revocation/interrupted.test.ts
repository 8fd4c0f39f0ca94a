/** Proves that an ending that fails half-way is told: whoever repeats it does not find again what has ended already. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createEndings, type Ending, type EndingsDependencies, type Target } from '../../src/revocation/endings.ts';
import { StoreUnavailable } from '../../src/storage/record-store.ts';

const entry = {
  accountId: 'alice',
  clientId: 'desk',
  resources: [],
  scopes: [],
  via: 'browser',
  createdAt: 1,
  lastUsedAt: 1,
  expiresAt: 2,
} as const;

/** @param lost ids of grants that cannot be taken out of the directory, as the store is lost on the way */
function openEndings(lost: Set<string>) {
  const grants = new Set(['one', 'two', 'three']);
  const told: Ending[] = [];
  const nothing = async () => {};
  const dependencies: EndingsDependencies = {
    clock: new FakeClock(),
    directory: {
      ids: async () => ({ items: ['one', 'two', 'three'] }),
      get: async (id) => ({ id, ...entry }),
      remove: async (id) => {
        if (lost.has(id)) throw new StoreUnavailable('lost');
      },
    },
    endedBefore: { set: nothing },
    revokeGrant: async (id) => grants.delete(id),
    revokeMachines: nothing,
    endPerson: nothing,
    takeAccounts: nothing,
    endSessionsBefore: nothing,
    endKey: nothing,
    onEnded: (ending) => told.push(ending),
  };
  return { told, end: (target: Target) => createEndings(dependencies).end(target, { origin: 'cli' }) };
}

describe('an ending that fails half-way', () => {
  it('a grant that was revoked and stayed in the directory is told once, with its person and client', async () => {
    const lost = new Set(['one']);
    const { told, end } = openEndings(lost);
    await expect(end({ kind: 'grant', id: 'one' })).rejects.toThrow(StoreUnavailable);
    lost.clear();
    expect(await end({ kind: 'grant', id: 'one' })).toEqual({ grants: 0 });
    expect(told).toEqual([expect.objectContaining({ grants: 1, accountId: 'alice', clientId: 'desk' })]);
  });

  it('what has ended of a person is told, although the rest has failed', async () => {
    const lost = new Set(['two']);
    const { told, end } = openEndings(lost);
    await expect(end({ kind: 'person', accountId: 'alice' })).rejects.toThrow(StoreUnavailable);
    expect(told.map(({ grants }) => grants)).toEqual([3]);
  });
});
