/** Proves how a replica finds, loads and ends sessions (MCP 2025-11-25, "Session Management"). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/authorization/principal.ts';
import { type SessionStorage, StorageFault, StorageUnavailable } from '../../src/sessions/ports.ts';
import type { McpSession } from '../../src/sessions/session.ts';
import { createSessionHost } from '../../src/sessions/session-host.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';
import { NOTHING_REVOKED } from '../support/revocations.ts';

const CLOCK_START = new FakeClock().now() / 1000;
const AGREED = { protocolVersion: '2025-11-25', params: { capabilities: {} } };
const ALICE: Principal = {
  issuer: 'https://as.example',
  subject: 'alice',
  clientId: 'client',
  scopes: new Set(),
  expiresAt: CLOCK_START + 600,
  claims: {},
};

let clock: FakeClock;
let open: () => SessionStorage;

beforeEach(() => {
  clock = new FakeClock();
  open = createMemoryStorage(clock, LIMITS, LOG_LIMITS);
});

/** A replica whose store counts its calls, records the use of sessions at intervals, and can be unavailable. */
function createReplica({ pace = 0, bus = true, revocations = NOTHING_REVOKED } = {}) {
  const storage = open();
  const asked = { get: 0, use: 0 };
  const state = { away: false, faulty: false };
  const reach = (): void => {
    if (state.faulty) throw new StorageFault('a record that cannot be read');
    if (state.away) throw new StorageUnavailable('away');
  };
  const store: SessionStorage['store'] = {
    ...storage.store,
    pace,
    get: async (id) => {
      asked.get += 1;
      reach();
      return storage.store.get(id);
    },
    use: async (...args) => {
      asked.use += 1;
      reach();
      return storage.store.use(...args);
    },
  };
  const ended: string[] = [];
  const host = createSessionHost({
    storage: { ...storage, store },
    limits: LIMITS,
    revocations,
    clock,
    pause: async (milliseconds) => clock.advance(milliseconds / 1000),
    onEnd: (id) => ended.push(id),
    onFailure: (error) => Promise.reject(error),
  });
  if (bus) {
    storage.bus.subscribe(
      (message) => {
        if (message.kind === 'altered') host.invalidate(message.session);
        if (message.kind === 'ended') host.forget(message.session);
      },
      () => {},
    );
  }
  return { host, storage, asked, ended, state };
}

async function openAt({ host }: ReturnType<typeof createReplica>, principal = ALICE): Promise<McpSession> {
  const session = await host.open(principal, 'streamable-http', AGREED);
  if (typeof session === 'string') throw new Error(session);
  return session;
}

describe('MCP 2025-11-25 "Session Management" a session on any replica', () => {
  it('a session answers its owner, and looks unknown to everybody else', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await openAt(here);
    expect(await there.host.find(id, ALICE)).toMatchObject({ id });
    for (const other of [
      { ...ALICE, subject: 'mallory' },
      { ...ALICE, clientId: 'another' },
      { ...ALICE, issuer: 'https://other.example' },
    ]) {
      expect(await there.host.find(id, other)).toBe('foreign');
    }
    expect(await there.host.find('nothing', ALICE)).toBe('unknown');
  });

  it('a session is kept from becoming idle by its owner only', async () => {
    const here = createReplica();
    const { id } = await openAt(here);
    for (let n = 0; n < 7; n += 1) {
      clock.advance(LIMITS.idleTimeout / 6);
      expect(['foreign', 'unknown']).toContain(await here.host.find(id, { ...ALICE, subject: 'mallory' }));
    }
    expect(await here.host.find(id, ALICE)).toBe('unknown');
  });

  it('a session is cached for ten seconds, and then read again', async () => {
    const [here, there] = [createReplica(), createReplica({ pace: 60_000 })];
    const { id } = await openAt(here);
    await there.host.find(id, ALICE);
    clock.advance(9);
    expect(there.host.find(id, ALICE)).toMatchObject({ id });
    expect(there.asked.get).toBe(1);
    clock.advance(2);
    await there.host.find(id, ALICE);
    expect(there.asked.get).toBe(2);
  });

  it('a session is read again at once when another replica has changed it', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await openAt(here);
    await there.host.find(id, ALICE);
    await here.host.alter(id, { logLevel: 'error' });
    expect(await there.host.find(id, ALICE)).toMatchObject({ logLevel: 'error' });
    expect(await here.host.find(id, ALICE)).toMatchObject({ logLevel: 'error' });
  });

  it('a session is read again when it changes while it is being read', async () => {
    const [here, there] = [createReplica({ bus: false }), open()];
    const { id } = await openAt(here);
    clock.advance(11);
    const found = here.host.find(id, ALICE);
    await there.store.alter(id, { logLevel: 'error' });
    here.host.invalidate(id);
    expect(await found).toMatchObject({ logLevel: 'error' });
  });

  it('an ended session is over on every replica, also while the store is away', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await openAt(here);
    await there.host.find(id, ALICE);
    await here.host.end(id);
    expect([here.ended, there.ended]).toEqual([[id], [id]]);
    expect(await here.host.find(id, ALICE)).toBe('unknown');
    there.state.away = true;
    await expect(there.host.find(id, ALICE)).rejects.toThrow(StorageUnavailable);
    there.state.away = false;
    expect(await there.host.find(id, ALICE)).toBe('unknown');
    expect(await there.host.keep(id)).toBe(false);
    expect(await there.host.alter(id, { logLevel: 'error' })).toBe(false);
  });

  it('an ended session is over within seconds at a replica that missed the message', async () => {
    const [here, deaf] = [createReplica(), createReplica({ bus: false })];
    const { id } = await openAt(here);
    await deaf.host.find(id, ALICE);
    await here.host.end(id);
    clock.advance(10);
    expect(await deaf.host.find(id, ALICE)).toBe('unknown');
    expect(deaf.ended).toEqual([id]);
  });

  it('a session that is kept is always marked as in use, and not written each time', async () => {
    const [here, { store }] = [createReplica(), open()];
    const { id } = await openAt(here);
    const writes: number[] = [];
    for (let tick = 0; tick < 6; tick += 1) {
      expect(await here.host.keep(id)).toBe(true);
      await here.host.peek(id);
      writes.push(here.asked.use);
      clock.advance(22);
      expect((await store.get(id))?.usedUntil).toBeGreaterThan(clock.now());
    }
    expect(writes.at(-1)).toBeLessThan(writes.length - 1);
    await here.host.end(id);
    expect(await here.host.keep(id)).toBe(false);
  });

  it('a cached session works while the store is away; an uncached one is unavailable', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await openAt(here);
    here.state.away = true;
    there.state.away = true;
    clock.advance(30);
    expect(await here.host.find(id, ALICE)).toMatchObject({ id });
    expect(await here.host.find(id, { ...ALICE, subject: 'mallory' })).toBe('foreign');
    expect(await here.host.keep(id)).toBe(true);
    const before = clock.now();
    await expect(there.host.find(id, ALICE)).rejects.toThrow(StorageUnavailable);
    expect(clock.now() - before).toBeGreaterThanOrEqual(3_000);
  });

  it('a fault of the store leaves a cached session working, and is not retried for an uncached one', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await openAt(here);
    here.state.faulty = true;
    there.state.faulty = true;
    clock.advance(30);
    // The use is written in the background: its failure must not become an unhandled rejection.
    expect(await here.host.find(id, ALICE)).toMatchObject({ id });
    const before = clock.now();
    await expect(there.host.find(id, ALICE)).rejects.toThrow(StorageFault);
    expect(clock.now()).toBe(before);
  });

  it('the use of a session is written at intervals, and at once with a newer token', async () => {
    const here = createReplica({ pace: 10_000 });
    const { id } = await openAt(here);
    const find = () => here.host.find(id, ALICE);
    for (let n = 0; n < 9; n += 1) {
      clock.advance(1);
      await find();
    }
    expect(here.asked.use).toBe(0);
    clock.advance(1);
    await find();
    await find();
    expect(here.asked.use).toBe(1);
    expect((await here.storage.store.get(id))?.usedUntil).toBe(clock.now());
    await here.host.find(id, { ...ALICE, expiresAt: ALICE.expiresAt + 60 });
    expect(here.asked.use).toBe(2);
    expect((await here.storage.store.get(id))?.tokenExpiresAt).toBe(ALICE.expiresAt + 60);
    await find();
    expect((await here.storage.store.get(id))?.tokenExpiresAt).toBe(ALICE.expiresAt + 60);
  });

  it("a failed write of a session's use is made up for by the next one", async () => {
    const here = createReplica({ pace: 1_000 });
    const { id } = await openAt(here);
    here.state.away = true;
    clock.advance(2);
    expect(here.host.find(id, ALICE)).toMatchObject({ id });
    here.state.away = false;
    await Promise.resolve();
    await here.host.find(id, ALICE);
    expect((await here.storage.store.get(id))?.usedUntil).toBe(clock.now());
  });

  it('a session that is replaced by a new one of its owner is over on every replica', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const first = await openAt(here);
    for (let n = 1; n < LIMITS.maxSessionsPerPrincipal; n += 1) {
      clock.advance(1);
      await openAt(here);
    }
    clock.advance(1);
    await openAt(there);
    expect([here.ended, there.ended]).toEqual([[first.id], [first.id]]);
    expect(await here.host.find(first.id, ALICE)).toBe('unknown');
    expect(await here.host.count()).toBe(LIMITS.maxSessionsPerPrincipal);
  });

  it('a new session is refused when the person has too many in use', async () => {
    const here = createReplica();
    for (let n = 0; n < LIMITS.maxSessionsPerPrincipal; n += 1) await here.host.keep((await openAt(here)).id);
    expect(await here.host.open(ALICE, 'streamable-http', AGREED)).toBe('principal');
  });
});
