/** Proves which endings take from clients the accounts that people let them use with tools. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { type By, createEndings, type Target } from '../../src/revocation/endings.ts';

const entryOf = (accountId: string, createdAt: number) => ({
  id: accountId,
  accountId,
  clientId: 'desk',
  resources: [],
  scopes: [],
  via: 'browser' as const,
  createdAt,
  lastUsedAt: createdAt,
  expiresAt: createdAt + 1,
});

const EARLY = 1_000;
const LATE = 2_000;

/** @returns from whom an ending has taken the accounts */
async function takenBy(target: Target, origin: By['origin']): Promise<readonly string[]> {
  const grants = [entryOf('alice', EARLY), entryOf('bob', LATE)];
  const taken: string[] = [];
  const nothing = async () => {};
  const endings = createEndings({
    clock: new FakeClock(),
    directory: {
      ids: async () => ({ items: grants.map(({ id }) => id) }),
      get: async (id) => grants.find((grant) => grant.id === id),
      remove: nothing,
    },
    endedBefore: { set: nothing },
    revokeGrant: async () => true,
    revokeMachines: nothing,
    endPerson: nothing,
    takeAccounts: async (accountId, clientId) => {
      taken.push(`${accountId} ${clientId}`);
    },
    endSessionsBefore: nothing,
    endKey: nothing,
    onEnded: () => {},
  });
  await endings.end(target, { origin });
  return taken;
}

const BOTH = ['alice desk', 'bob desk'];

describe('accounts of people for tools', () => {
  it.each<readonly [string, Target, By['origin'], readonly string[]]>([
    ['an operator ends one approval', { kind: 'grant', id: 'alice' }, 'cli', ['alice desk']],
    ['an operator ends a client', { kind: 'client', id: 'desk' }, 'cli', BOTH],
    ['an operator removes a client', { kind: 'client', id: 'desk', isRemoved: true }, 'cli', BOTH],
    ['an operator ends a client on their pages', { kind: 'client', id: 'desk' }, 'admin', BOTH],
    ['an operator ends what began before a moment', { kind: 'everything', before: LATE }, 'cli', ['alice desk']],
    ['a client removes its own registration', { kind: 'client', id: 'desk' }, 'client', []],
    ['a client signs out', { kind: 'grant', id: 'alice' }, 'client', []],
    ['a person is ended, whose accounts end as a whole', { kind: 'person', accountId: 'alice' }, 'cli', []],
  ])('clients lose these accounts if %s', async (_, target, origin, expected) => {
    expect(await takenBy(target, origin)).toEqual(expected);
  });
});
