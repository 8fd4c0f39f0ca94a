/** Proves that keys and client secrets cannot be read in the store, and that their encryption key can be rotated. */
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
import { open } from '../support/opened-keys.ts';

const key = randomBytes(32);
const newer = randomBytes(32);
const ttl = 100;

let plain: RecordStore;
beforeEach(() => {
  plain = createSqliteStore(':memory:', new FakeClock());
});
afterEach(() => plain.close());

describe('RFC 6749 §10.3 secrets in the store', () => {
  it('secrets are not readable in the store: private keys, cookie keys, client secrets', async () => {
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

  it('secrets are opened by an older key, sealed by the newest, and by no other', async () => {
    await createSealedStore(plain, [key]).put('Client', 'app', { client_secret: 'canary' }, { ttl });
    const rotated = createSealedStore(plain, [newer, key]);
    expect((await rotated.get('Client', 'app'))?.value.client_secret).toBe('canary');
    await rotated.put('Client', 'app', { client_secret: 'canary' }, { ttl });
    expect((await createSealedStore(plain, [newer]).get('Client', 'app'))?.value.client_secret).toBe('canary');
    await expect(createSealedStore(plain, [key]).get('Client', 'app')).rejects.toThrow(
      /^STORAGE_KEYS: Client:app:client_secret is encrypted with the key \S+, which is not among them$/,
    );
  });

  it('signing and cookie keys are sealed again at every start, so that an older key can be removed', async () => {
    const { signing, cookies } = await open(createSealedStore(plain, [key]));
    await open(createSealedStore(plain, [newer, key]));
    const again = await open(createSealedStore(plain, [newer]));
    expect([again.signing, again.cookies]).toEqual([signing, cookies]);
  });

  it('sealed secrets can be neither altered nor moved to another record', async () => {
    const store = createSealedStore(plain, [key]);
    await store.put('Client', 'app', { client_secret: 'canary' }, { ttl });
    const { value } = (await plain.get('Client', 'app')) ?? {};
    await plain.put('Client', 'other', value ?? {}, { ttl });
    await expect(store.get('Client', 'other')).rejects.toThrow();
  });

  it('secrets written before there was a key are read as they are', async () => {
    await plain.put('Client', 'app', { client_secret: 'plain' }, { ttl });
    expect((await createSealedStore(plain, [key]).get('Client', 'app'))?.value.client_secret).toBe('plain');
  });
});

describe('CWE-311 unencrypted secrets in the store', () => {
  it('unencrypted secrets are refused under the policy refuse: keys with STORAGE_KEYS named, a client as unknown', async () => {
    await open(plain);
    await plain.put('Client', 'app', { client_secret: 'plain' }, { ttl });
    await plain.put('Client', 'public', { client_id: 'public' }, { ttl });
    await plain.put('PreRegisteredClients', 'all', { clients: [] }, { ttl });
    const refused: string[] = [];
    const onRefused = (client: string) => void refused.push(client);
    const store = createSealedStore(plain, [key], { policy: 'refuse', onRefused });
    await expect(open(store)).rejects.toThrow(/^STORAGE_KEYS: Keyring:[a-z]+ in the store is not encrypted/);
    await expect(store.get('PreRegisteredClients', 'all')).rejects.toThrow(/^STORAGE_KEYS: PreRegisteredClients:all/);
    expect(await store.get('Client', 'app')).toBeUndefined();
    expect(await store.take('Client', 'app')).toBeUndefined();
    expect(refused).toEqual(['app', 'app']);
    expect((await store.get('Client', 'public'))?.value).toEqual({ client_id: 'public' });
  });

  it('values that only resemble encrypted ones are refused under the policy refuse', async () => {
    const store = createSealedStore(plain, [key], { policy: 'refuse' });
    for (const value of [{ '*': { keys: [] } }, { '*': 'sealed' }, { '*': ['sealed:x'] }, { '*': null }]) {
      await plain.put('Keyring', 'signing', value, { ttl });
      await expect(store.get('Keyring', 'signing')).rejects.toThrow(/not encrypted/);
    }
    await plain.put('Client', 'app', { client_secret: ['sealed:x'] }, { ttl });
    expect(await store.get('Client', 'app')).toBeUndefined();
  });

  it('unencrypted secrets are encrypted when read under the policy seal, and then pass the policy refuse', async () => {
    const { signing, cookies } = await open(plain);
    await plain.put('Client', 'app', { client_id: 'app', client_secret: 'canary' }, { ttl });
    await plain.put('PreRegisteredClients', 'all', { clients: ['canary'] }, { ttl });
    const taking = createSealedStore(plain, [key], { policy: 'seal', clientLifetime: ttl });
    expect((await open(taking)).signing).toEqual(signing);
    expect((await taking.get('Client', 'app'))?.value.client_secret).toBe('canary');
    await taking.get('PreRegisteredClients', 'all');
    const written = await Promise.all([plain.get('Client', 'app'), plain.get('PreRegisteredClients', 'all')]);
    expect(JSON.stringify(written)).not.toContain('canary');
    const strict = createSealedStore(plain, [key], { policy: 'refuse' });
    const again = await open(strict);
    expect([again.signing, again.cookies]).toEqual([signing, cookies]);
    expect((await strict.get('Client', 'app'))?.value.client_secret).toBe('canary');
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
