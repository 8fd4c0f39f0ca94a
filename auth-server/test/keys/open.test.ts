/** Proves that keys are created once, survive restarts, and are the same for all processes on one store. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { open } from '../support/opened-keys.ts';

describe('the keys of the server', () => {
  const clock = new FakeClock();
  let store: RecordStore;
  beforeEach(() => {
    store = createSqliteStore(':memory:', clock);
  });

  it('a new server has one signing key, which signs at once', async () => {
    const { signing } = await open(store, clock);
    expect(signing).toHaveLength(1);
    expect(signing[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
  });

  it('the keys are the same after restarts, for years', async () => {
    const first = await open(store, clock);
    for (let year = 0; year < 12; year++) {
      clock.advance(365 * 86_400);
      const { signing, cookies } = await open(store, clock);
      expect([signing, cookies]).toEqual([first.signing, first.cookies]);
    }
  });

  it('the keys are the same for processes that start at once', async () => {
    const opened = await Promise.all([open(store, clock), open(store, clock), open(store, clock)]);
    expect(new Set(opened.map(({ signing }) => signing[0].kid)).size).toBe(1);
    expect(new Set(opened.map(({ cookies }) => cookies[0])).size).toBe(1);
  });

  it('the cookie key has 256 random bits, and differs between servers', async () => {
    const { signing, cookies } = await open(store, clock);
    const other = await open(createSqliteStore(':memory:', clock), clock);
    expect(Buffer.from(cookies[0], 'base64url')).toHaveLength(32);
    expect(other.cookies[0]).not.toBe(cookies[0]);
    expect(other.signing[0].kid).not.toBe(signing[0].kid);
  });

  it('keys stored before there was rotation are still read', async () => {
    const { signing } = await open(store, clock);
    await store.put('Keyring', 'signing', { keys: [{ key: signing[0], createdAt: 1 }] }, { ttl: 100 });
    expect((await open(store, clock)).signing).toEqual(signing);
  });
});
