/** Owns the proof that keys are made once, survive, and are named as RFC 7638 says. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { calculateJwkThumbprint } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { openKeys } from '../../src/keys/keyring.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

describe('the keys of the server', () => {
  const clock = new FakeClock();
  let store: RecordStore;
  beforeEach(() => {
    store = createSqliteStore(':memory:', clock);
  });

  it('RFC 7638 §3 names the ES256 signing key by its thumbprint', async () => {
    const { signing } = await openKeys(store, clock);
    expect(signing).toHaveLength(1);
    expect(signing[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(signing[0].kid).toBe(await calculateJwkThumbprint(signing[0], 'sha256'));
  });

  it('are the same at the next start, and ten years of starts later', async () => {
    const first = await openKeys(store, clock);
    for (let year = 0; year < 12; year++) {
      clock.advance(365 * 86_400);
      expect(await openKeys(store, clock)).toEqual(first);
    }
  });

  it('are the same for processes that start at once', async () => {
    const opened = await Promise.all([openKeys(store, clock), openKeys(store, clock), openKeys(store, clock)]);
    expect(new Set(opened.map(({ signing }) => signing[0].kid)).size).toBe(1);
    expect(new Set(opened.map(({ cookies }) => cookies[0])).size).toBe(1);
  });

  it('are 256 bits of randomness for cookies, not shared with another server', async () => {
    const { cookies } = await openKeys(store, clock);
    const other = await openKeys(createSqliteStore(':memory:', clock), clock);
    expect(Buffer.from(cookies[0], 'base64url')).toHaveLength(32);
    expect(other.cookies[0]).not.toBe(cookies[0]);
    expect(other.signing[0].kid).not.toBe((await openKeys(store, clock)).signing[0].kid);
  });
});
