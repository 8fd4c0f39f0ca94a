/** Proves that every grant is in the directory before it is used, that its use is noted at little cost, and that a moment ends it. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { beforeEach, describe, expect, it } from 'vitest';
import { listedGrants } from '../../../src/provider/records/listed-grants.ts';
import { createEndedBefore } from '../../../src/revocation/ended-before.ts';
import type { GrantDirectory } from '../../../src/revocation/grant-directory.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { type RecordStore, StoreUnavailable } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { MCP, type RunningServer, read, startServer } from '../../support/running-server.ts';

let clock: FakeClock;
let store: RecordStore;
let directory: GrantDirectory;
/** The calls of the server. */
let calls: string[];
let server: RunningServer;
let client: TestClient;

beforeEach(async () => {
  clock = new FakeClock(Date.now());
  store = createSqliteStore(':memory:', clock);
  directory = createSqliteDirectory(':memory:', clock);
  calls = [];
  const watched = Object.entries(directory).map(([name, run]) => [
    name,
    (...args: unknown[]) => {
      calls.push(name);
      return run(...args);
    },
  ]);
  server = await startServer({ store, clock, directory: Object.fromEntries(watched) });
  client = await register(server);
  return () => server[Symbol.asyncDispose]();
});

const now = () => Math.floor(clock.now() / 1000);
/** Within five seconds: the engine reads the time of the machine, which has gone on since the clock of the test was set. */
const about = (time: number): number => expect.closeTo(time, -1);
const refreshToken = async (answer: Promise<Response>): Promise<string> =>
  String((await read(await answer)).refresh_token);
const listed = async () => (await directory.list()).items;

async function approved(browser = new Browser(server)): Promise<string> {
  const { code } = await authorize(server, client, {}, { browser });
  return refreshToken(redeem(server, client, code));
}

describe('the directory of grants', () => {
  it('has a grant as soon as it is approved, with its client, person, resource and scopes', async () => {
    await authorize(server, client, { scope: 'mcp:tools' });
    const [entry, ...others] = await listed();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ clientId: client.id, via: 'browser', createdAt: about(now()), lastUsedAt: now() });
    expect(entry?.resources).toContain(MCP);
    expect(entry?.scopes).toEqual(['mcp:tools']);
    expect(await store.get('Grant', entry?.id ?? '')).toMatchObject({ value: { accountId: entry?.accountId } });
  });

  it('keeps the beginning of a grant that is approved again', async () => {
    const browser = new Browser(server);
    await approved(browser);
    const begun = now();
    clock.advance(100);
    const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:tools mcp:admin', prompt: 'consent' }));
    await browser.submit(page, 'approve');
    const [entry, ...others] = await listed();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ createdAt: about(begun), lastUsedAt: begun + 100 });
    expect(entry?.scopes).toContain('mcp:admin');
  });

  it('notes the use of a grant with one write in five minutes, and none in between', async () => {
    let token = await approved();
    calls = [];
    for (let minute = 0; minute < 15; minute += 1) {
      clock.advance(60);
      token = await refreshToken(refresh(server, client, token));
    }
    expect(calls).toEqual(['touch', 'touch', 'touch']);
    expect((await listed())[0]?.lastUsedAt).toBe(now());
  });

  it('gets a grant of an earlier version at its next refresh', async () => {
    const token = await approved();
    for (const { id } of await listed()) await directory.remove(id);
    clock.advance(600);
    expect((await refresh(server, client, token)).status).toBe(200);
    expect(await listed()).toMatchObject([{ clientId: client.id, createdAt: about(now() - 600), lastUsedAt: now() }]);
  });
});

describe('a grant that ends while a request lists it', () => {
  const payload: AdapterPayload = { accountId: 'ada', clientId: 'desk', resources: {} };
  const opened = (grants: Pick<Adapter, 'find' | 'upsert'>) =>
    listedGrants(grants as Adapter, clock, {
      directory,
      endedBefore: createEndedBefore(store, 10_000),
      endings: { end: async () => ({ grants: 1 }) },
    });
  const lost = async () => {
    throw new StoreUnavailable('lost');
  };

  it('a grant that could not be written is listed only if it goes on', async () => {
    const exp = now() + 1_000;
    let isAlive = true;
    const adapter = opened({ find: async () => (isAlive ? { ...payload, exp } : undefined), upsert: lost });
    await expect(adapter.upsert('id', { ...payload, exp }, 1_000)).rejects.toThrow(StoreUnavailable);
    expect(await listed(), 'it goes on').toHaveLength(1);
    isAlive = false;
    await expect(adapter.upsert('id', { ...payload, exp }, 1_000)).rejects.toThrow(StoreUnavailable);
    expect(await listed()).toEqual([]);
  });

  it('a grant that ended after it was read is not listed', async () => {
    const found = [{ ...payload, exp: now() + 1_000 }];
    const adapter = opened({ find: async () => found.shift(), upsert: lost });
    expect(await adapter.find('id')).toBeUndefined();
    expect(await listed()).toEqual([]);
  });
});

describe('a moment that ends what began before', () => {
  it.each(['person', 'client', 'everything'] as const)(
    'RFC 6749 §5.2 refuses a grant of an earlier version that is not listed: %s',
    async (kind) => {
      const token = await approved();
      const [entry] = await listed();
      for (const { id } of await listed()) await directory.remove(id);
      clock.advance(600);
      const scope = { kind, accountId: entry?.accountId ?? '', clientId: client.id };
      await createEndedBefore(store, 10_000).set(scope, now());
      const answer = await refresh(server, client, token);
      expect([answer.status, (await read(answer)).error]).toEqual([400, 'invalid_grant']);
    },
  );

  it('never moves backward, and leaves a grant that began at the moment', async () => {
    const moments = createEndedBefore(store, 10_000);
    await moments.set({ kind: 'everything' }, 100);
    await moments.set({ kind: 'everything' }, 50);
    const began = (createdAt: number) => moments.includes({ accountId: 'ada', clientId: 'desk', createdAt });
    expect([await began(99), await began(100)]).toEqual([true, false]);
  });

  it('a moment is kept for 400 days, because a grant may be from a time with a longer GRANT_LIFETIME', async () => {
    const moments = createEndedBefore(store, 86_400);
    await moments.set({ kind: 'everything' }, now());
    const grant = { accountId: 'ada', clientId: 'desk', createdAt: now() - 1 };
    clock.advance(399 * 86_400);
    expect(await moments.includes(grant)).toBe(true);
  });
});
