/** Proves what the gate for deactivated people decides while the provider changes the same person. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';
import { createDeactivationGate } from '../../src/provisioning/deactivation.ts';
import { createSubjects } from '../../src/provisioning/subjects.ts';
import { createUsers } from '../../src/provisioning/users.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const clock = new FakeClock(Date.now());

/** Signs alice in while the provider sends a change: after the gate has read her record, before it writes. */
async function signInDuring(changes: { readonly active?: boolean; readonly userName?: string }) {
  const store = createSqliteStore(':memory:', clock);
  const users = createUsers('acme', { store, clock, nameKeys: ['a key'], onDeactivated: async () => {} });
  const { user } = await users.create({ externalId: 'alice' });
  let isChanged = false;
  const replace: RecordStore['replace'] = async (...args) => {
    if (!isChanged) await users.change(user.id, changes);
    isChanged = true;
    return store.replace(...args);
  };
  const refused: string[] = [];
  const gate = createDeactivationGate({
    connectors: ['acme'],
    store: { ...store, replace },
    onRefused: async ({ accountId }) => void refused.push(accountId),
    onUnknown: () => {},
  });
  const account = {
    accountId: 'account of alice',
    connector: 'acme',
    identity: { issuer: 'https://acme.example', subject: 'alice' },
  };
  const verdict = await gate(account, 'sign-in');
  return { verdict, refused, record: await createSubjects('acme', store).read('alice') };
}

it('RFC 7644 §3.5.2 a sign-in during which the provider deactivates the person is refused', async () => {
  const { verdict, refused } = await signInDuring({ active: false });
  expect(verdict).toMatchObject({ refusal: { reason: 'deactivated' } });
  expect(refused).toEqual(['account of alice']);
});

it('a sign-in during which the provider changes the name goes on, and the account is found at a later deactivation', async () => {
  const { verdict, record } = await signInDuring({ userName: 'alice@acme.example' });
  expect(verdict).toBeUndefined();
  expect(record).toMatchObject({ active: true, accountId: 'account of alice' });
});
