/**
 * Proves that processes on one store rotate together: one new key each time, at the same moment, and none without the
 * store.
 */
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { followKeyring, keepFollowing } from '../../src/keys/follow.ts';
import { createKeyStore, openKeyring } from '../../src/keys/key-store.ts';
import type { KeyPolicy } from '../../src/keys/keyring.ts';
import { generateSigningKey, type SigningKeys } from '../../src/keys/signing-key.ts';
import { type RecordStore, StoreUnavailable } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { policy } from '../support/opened-keys.ts';

describe('processes that follow one keyring', () => {
  let clock: FakeClock;
  let store: RecordStore;
  let log: Record<string, unknown>[];
  beforeEach(() => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
    log = [];
  });

  async function startProcess(own: Partial<KeyPolicy> = {}, storeOf: (store: RecordStore) => RecordStore = (s) => s) {
    const sets: SigningKeys[] = [];
    let refuse = false;
    const keyStore = createKeyStore(storeOf(store));
    const generate = () => generateSigningKey(own.algorithm ?? policy.algorithm);
    const follower = followKeyring(await openKeyring(keyStore, clock, generate), {
      store: keyStore,
      policy: { ...policy, ...own },
      clock,
      log: createLogger('auth-server', 'debug', { write: (line) => log.push(JSON.parse(line)) }),
      generate: generateSigningKey,
      onChange: (keys) => {
        if (refuse) throw new Error('no engine takes these');
        sets.push(keys);
      },
    });
    return {
      ...follower,
      kids: () => sets.at(-1)?.map(({ kid }) => kid) ?? [],
      algorithms: () => sets.at(-1)?.map(({ alg }) => alg) ?? [],
      changes: () => sets.length,
      refuse: (value: boolean) => {
        refuse = value;
      },
    };
  }
  const events = (name: string) => log.filter(({ msg }) => msg === name);

  it('processes create one new key together each time it is due', async () => {
    const processes = await Promise.all([1, 2, 3].map(() => startProcess()));
    for (let rotation = 1; rotation <= 5; rotation += 1) {
      clock.advance(policy.rotation);
      await Promise.all(processes.map((one) => one.step()));
      await Promise.all(processes.map((one) => one.step()));
      expect(events('signing key published')).toHaveLength(rotation);
      clock.advance(policy.lead);
      await Promise.all(processes.map((one) => one.step()));
      expect(new Set(processes.map((one) => one.kids().join())).size).toBe(1);
    }
  });

  it('processes publish a key first, then sign with it together, and drop the old one when its tokens have expired', async () => {
    const one = await startProcess();
    const two = await startProcess();
    clock.advance(policy.rotation);
    await one.step();
    const [old, young] = one.kids();
    await two.step();
    expect(two.kids()).toEqual([old, young]);
    clock.advance(policy.lead - 1);
    expect(one.wait()).toBe(1_000);
    expect(two.wait()).toBe(1_000);
    clock.advance(1);
    await Promise.all([one.step(), two.step()]);
    expect([one.kids(), two.kids()]).toEqual([
      [young, old],
      [young, old],
    ]);
    clock.advance(policy.tokenLifetime + policy.lead);
    await Promise.all([one.step(), two.step()]);
    expect([one.kids(), two.kids()]).toEqual([[young], [young]]);
  });

  it('a process reads the keyring again after the poll interval, and sooner when a key becomes active', async () => {
    const one = await startProcess();
    expect(one.wait()).toBe(policy.poll * 1_000);
    clock.advance(policy.rotation);
    await one.step();
    clock.advance(policy.lead - 3);
    expect(one.wait()).toBe(3_000);
  });

  it('a change of the algorithm publishes the new key first', async () => {
    await startProcess();
    const changed = await startProcess({ algorithm: 'EdDSA' });
    await changed.step();
    expect(changed.algorithms()).toEqual(['ES256', 'EdDSA']);
    clock.advance(policy.lead);
    await changed.step();
    expect(changed.algorithms()).toEqual(['EdDSA', 'ES256']);
    clock.advance(policy.tokenLifetime + policy.lead);
    await changed.step();
    expect(changed.algorithms()).toEqual(['EdDSA']);
  });

  it('processes that disagree about the algorithm do not fill the keyring', async () => {
    const one = await startProcess();
    const two = await startProcess({ algorithm: 'EdDSA' });
    for (let poll = 0; poll < 300; poll += 1) {
      await Promise.all([one.step(), two.step()]);
      clock.advance(policy.poll);
    }
    expect(one.kids().length).toBeLessThan(15);
  });

  it('a process keeps its keys while the store is away, activates in time, and logs the outage once', async () => {
    let away = false;
    const one = await startProcess({}, (real) => ({
      ...real,
      get: (...args) => (away ? Promise.reject(new StoreUnavailable('gone')) : real.get(...args)),
    }));
    clock.advance(policy.rotation);
    await one.step();
    const [old, young] = one.kids();
    away = true;
    await one.step();
    clock.advance(policy.lead);
    await one.step();
    expect(one.kids()).toEqual([young, old]);
    expect(events('signing keys could not be updated')).toHaveLength(1);
    away = false;
    await one.step();
    expect(events('signing keys are updated again')).toHaveLength(1);
  });

  it('processes restore their keys to an emptied store', async () => {
    const one = await startProcess();
    const two = await startProcess();
    await store.delete('Keyring', 'signing');
    await Promise.all([one.step(), two.step()]);
    expect([one.changes(), two.changes()]).toEqual([0, 0]);
    expect(await createKeyStore(store).load()).toBeDefined();
  });

  it('a process keeps the old keys when the engine refuses the new ones, and retries', async () => {
    const one = await startProcess();
    clock.advance(policy.rotation);
    one.refuse(true);
    await one.step();
    await one.step();
    expect([one.changes(), events('signing keys could not be updated').length]).toEqual([0, 1]);
    one.refuse(false);
    await one.step();
    expect(one.kids()).toHaveLength(2);
  });

  it('a process that stops finishes the running step and starts no other', async () => {
    vi.useFakeTimers();
    const step = Promise.withResolvers<void>();
    let steps = 0;
    const stop = keepFollowing({
      step: () => {
        steps += 1;
        return step.promise;
      },
      wait: () => 1_000,
    });
    await vi.advanceTimersByTimeAsync(1_000);
    const stopped = stop();
    step.resolve();
    await stopped;
    expect([steps, vi.getTimerCount()]).toEqual([1, 0]);
    vi.useRealTimers();
  });
});
