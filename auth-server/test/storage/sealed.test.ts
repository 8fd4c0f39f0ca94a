/** Owns the proof that keys and client secrets can't be read in the store, and that the key which seals them can be changed. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { recordStoreContract } from '../contracts/record-store.contract.ts';
import { open } from '../keys/opened.ts';

const key = randomBytes(32);
const newer = randomBytes(32);
const ttl = 100;

let plain: RecordStore;
beforeEach(() => {
  plain = createSqliteStore(':memory:', new FakeClock());
});
afterEach(() => plain.close());

describe('RFC 6749 §10.3 secrets in the store', () => {
  it('are not readable: private keys, cookie keys, client secrets', async () => {
    const store = createSealedStore(plain, [key]);
    const { signing, cookies } = await open(store);
    await store.put('Client', 'app', { client_id: 'app', client_secret: 'canary' }, { ttl });
    const records = await Promise.all([
      plain.get('Keyring', 'signing'),
      plain.get('Keyring', 'cookies'),
      plain.get('Client', 'app'),
    ]);
    const written = JSON.stringify(records);
    for (const secret of [String(signing[0].d), cookies[0], 'canary']) expect(written).not.toContain(secret);
    expect((await store.get('Client', 'app'))?.value).toEqual({ client_id: 'app', client_secret: 'canary' });
    expect((await open(store)).signing).toEqual(signing);
  });

  it('are opened by an older key, sealed by the newest, and by no other', async () => {
    await createSealedStore(plain, [key]).put('Client', 'app', { client_secret: 'canary' }, { ttl });
    const rotated = createSealedStore(plain, [newer, key]);
    expect((await rotated.get('Client', 'app'))?.value.client_secret).toBe('canary');
    await rotated.put('Client', 'app', { client_secret: 'canary' }, { ttl });
    expect((await createSealedStore(plain, [newer]).get('Client', 'app'))?.value.client_secret).toBe('canary');
    await expect(createSealedStore(plain, [key]).get('Client', 'app')).rejects.toThrow(/not in STORAGE_KEYS/);
  });

  it('that are keys are sealed anew by every start, so that an older key can go', async () => {
    const { signing, cookies } = await open(createSealedStore(plain, [key]));
    await open(createSealedStore(plain, [newer, key]));
    const again = await open(createSealedStore(plain, [newer]));
    expect([again.signing, again.cookies]).toEqual([signing, cookies]);
  });

  it('can be neither altered nor moved to another record', async () => {
    const store = createSealedStore(plain, [key]);
    await store.put('Client', 'app', { client_secret: 'canary' }, { ttl });
    const { value } = (await plain.get('Client', 'app')) ?? {};
    await plain.put('Client', 'other', value ?? {}, { ttl });
    await expect(store.get('Client', 'other')).rejects.toThrow();
  });

  it('that were written before there was a key are read as they are', async () => {
    await plain.put('Client', 'app', { client_secret: 'plain' }, { ttl });
    expect((await createSealedStore(plain, [key]).get('Client', 'app'))?.value.client_secret).toBe('plain');
  });
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-server-'));
});

recordStoreContract('SQLite, sealed', {
  open: async (clock) => createSealedStore(createSqliteStore(join(folder, 'sealed.sqlite'), clock), [key]),
  clean: async () => rmSync(folder, { recursive: true }),
});
