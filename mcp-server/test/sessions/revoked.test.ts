/** Proves how a replica ends the sessions of revoked tokens, by the record and not by its copy, and what it does without its store. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/authorization/principal.ts';
import type { Revocations } from '../../src/authorization/status/reference.ts';
import { type SessionStorage, StorageUnavailable } from '../../src/sessions/ports.ts';
import type { McpSession } from '../../src/sessions/session.ts';
import { createSessionHost } from '../../src/sessions/session-host.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';

const AGREED = { protocolVersion: '2025-11-25', params: { capabilities: {} } };
const URI = 'https://as.example/status/1';
const START = new FakeClock().now() / 1000;

const OWNER = { issuer: 'https://as.example', subject: 'ada', clientId: 'desk' };

const ada = (idx: number | undefined, lifetime = 600): Principal => ({
  ...{ ...OWNER, scopes: new Set(), claims: {} },
  expiresAt: START + lifetime,
  ...(idx !== undefined && { status: { uri: URI, idx, isLongLived: false } }),
});

let clock: FakeClock;
let open: () => SessionStorage;
let marked: Set<number>;
beforeEach(() => {
  clock = new FakeClock();
  open = createMemoryStorage(clock, LIMITS, LOG_LIMITS);
  marked = new Set();
});

/** A replica that knows the marks once it has read the list. */
function createReplica({ hasRead = true } = {}) {
  const storage = open();
  const state = { hasRead, away: false };
  const ended: string[] = [];
  const revocations: Revocations = {
    isRevoked: ({ status }) => state.hasRead && status !== undefined && marked.has(status.idx),
    learn: () => {
      if (state.hasRead) return undefined;
      state.hasRead = true;
      return Promise.resolve();
    },
  };
  const reach = async <T>(work: () => Promise<T>): Promise<T> => {
    if (state.away) throw new StorageUnavailable('away');
    return work();
  };
  const store: SessionStorage['store'] = {
    ...storage.store,
    get: (id) => reach(() => storage.store.get(id)),
    use: (...args) => reach(() => storage.store.use(...args)),
    delete: (id) => reach(() => storage.store.delete(id)),
  };
  const host = createSessionHost({
    storage: { ...storage, store },
    limits: LIMITS,
    revocations,
    clock,
    pause: async (milliseconds) => clock.advance(milliseconds / 1000),
    onEnd: (id) => ended.push(id),
    onFailure: () => {},
  });
  return { host, storage, state, ended };
}

async function opened({ host }: ReturnType<typeof createReplica>, principal = ada(1)): Promise<McpSession> {
  const session = await host.open(principal, 'streamable-http', AGREED);
  if (typeof session === 'string') throw new Error(session);
  return session;
}

describe('a session whose newest token was revoked', () => {
  it('a session is ended at once, and no new approval of its owner takes it up', async () => {
    const replica = createReplica();
    const { id } = await opened(replica);
    marked.add(1);
    expect(await replica.host.endRevoked()).toEqual([OWNER]);
    expect(replica.ended).toContain(id);
    expect(await replica.storage.store.get(id)).toBeUndefined();
    expect(await replica.host.find(id, ada(2, 900))).toBe('unknown');
  });

  it('a replica that never served the session reads its list before it lets a new approval in', async () => {
    const { id } = await opened(createReplica());
    marked.add(1);
    const fresh = createReplica({ hasRead: false });
    expect(await fresh.host.find(id, ada(2, 900))).toBe('unknown');
    expect(await fresh.storage.store.get(id)).toBeUndefined();
  });

  it('a session that another replica has seen with a newer token goes on: the record decides', async () => {
    const [here, there] = [createReplica(), createReplica()];
    const { id } = await opened(here);
    expect(await there.host.find(id, ada(2, 900))).toMatchObject({ id, status: { uri: URI, idx: 2 } });
    marked.add(1);
    expect(await here.host.endRevoked()).toEqual([]);
    expect(await here.host.find(id, ada(2, 900))).toMatchObject({ id });
    marked.add(2);
    expect(await here.host.endRevoked()).toEqual([OWNER]);
    expect(await there.host.endRevoked()).toEqual([]);
  });

  it('a newer token without a reference takes the old one away', async () => {
    const replica = createReplica();
    const { id } = await opened(replica);
    expect(await replica.host.find(id, ada(undefined, 900))).not.toHaveProperty('status');
    marked.add(1);
    expect(await replica.host.endRevoked()).toEqual([]);
  });

  it('while the store is unavailable, streams and calls of the session end here all the same', async () => {
    const replica = createReplica();
    const { id } = await opened(replica);
    marked.add(1);
    replica.state.away = true;
    expect(await replica.host.endRevoked()).toEqual([]);
    expect(replica.ended).toContain(id);
    replica.state.away = false;
    expect(await replica.host.find(id, ada(2, 900))).toBe('unknown');
  });

  it('the session of an open stream ends by a token that another replica noted', async () => {
    const [here, there] = [createReplica({ hasRead: false }), createReplica()];
    const { id } = await opened(here, ada(undefined));
    await there.host.find(id, ada(3, 900));
    marked.add(3);
    here.host.invalidate(id);
    const session = await here.host.peek(id);
    expect(session && (await here.host.endIfRevoked(session))).toBe(true);
  });
});
