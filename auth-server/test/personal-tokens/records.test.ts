/** Proves on both stores that the records of personal tokens lose nothing to concurrent changes, and that a part is claimed once. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOwners, PARTS } from '../../src/personal-tokens/owners.ts';
import type { PersonalToken } from '../../src/personal-tokens/token.ts';
import { createTokenRecords } from '../../src/personal-tokens/token-records.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { STORES, storesOf } from '../support/stores.ts';

describe.each(STORES)('records of personal tokens on %s', (kind) => {
  const openStore = storesOf(kind);
  const clock = new FakeClock();
  const now = Math.floor(clock.now() / 1000);
  let store: RecordStore;
  beforeEach(async () => {
    store = await openStore(clock);
  });
  afterEach(() => store.close());

  const token = (id: string, expiresAt = now + 600): PersonalToken => ({
    id,
    name: id,
    resource: 'https://notes.example/mcp',
    scopes: ['read'],
    createdAt: now,
    expiresAt,
    status: { list: 'list', idx: 1, until: expiresAt },
  });

  it('tokens that are added and ended at once are all added and ended', async () => {
    const records = createTokenRecords(store, clock);
    await records.change('alice', () => [token('first')]);
    const ids = Array.from({ length: 20 }, (_, n) => `token-${n}`);
    await Promise.all([
      ...ids.map((id) => records.change('alice', (tokens) => [...tokens, token(id)])),
      records.change('alice', (tokens) => tokens.filter(({ id }) => id !== 'first')),
    ]);
    expect((await records.of('alice')).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await records.of('bob')).toEqual([]);
  });

  it('a change without a result writes nothing, and an expired token is not listed', async () => {
    const records = createTokenRecords(store, clock);
    await records.change('carol', () => undefined);
    expect(await store.get('PersonalTokens', 'carol')).toBeUndefined();
    await records.change('carol', () => [token('old', now - 1), token('new')]);
    expect((await records.of('carol')).map(({ id }) => id)).toEqual(['new']);
  });

  it('owners that are added at once are all in the index, each in one part', async () => {
    const owners = createOwners(store, clock);
    const subjects = Array.from({ length: 100 }, (_, n) => `person-${n}`);
    expect(await owners.any()).toBe(false);
    await Promise.all(subjects.map((subject) => owners.add(subject, now + 600)));
    await owners.add('gone', now - 1);
    const parts = await Promise.all(Array.from({ length: PARTS }, (_, part) => owners.inPart(part)));
    expect(parts.flat().toSorted()).toEqual(subjects.toSorted());
    expect(await owners.any()).toBe(true);
  });

  it('exactly one of concurrent claims of a part succeeds', async () => {
    const owners = createOwners(store, clock);
    const claims = await Promise.all(Array.from({ length: 5 }, () => owners.claim(7, 60)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await owners.claim(8, 60)).toBe(true);
  });
});
