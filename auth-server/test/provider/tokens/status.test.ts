/**
 * Proves that every access token refers to a status list (Token Status List §6), and that no end of its grant leaves a token unmarked,
 * whatever happens at the same time.
 */
import { randomInt } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { revokeMachine } from '../../../src/provider/tokens/status.ts';
import { createStatusMarks } from '../../../src/revocation/status-lists.ts';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { authorize, redeem, refresh, register, type TestClient, tokensFor } from '../../support/client.ts';
import { form, MCP, type RunningServer, read, startServer } from '../../support/running-server.ts';
import { createSteppedStore, type SteppedStore } from '../../support/stepped-store.ts';
import { STORES, storesOf } from '../../support/stores.ts';
import { isMarkedInStore, type Reference, referenceOf } from '../../support/token-status.ts';

const HOUR = 3_600;
const AFTER_GRACE = 60;
const JOB = {
  client_id: 'nightly-job',
  client_secret: 'a-secret-of-the-nightly-job',
  grant_types: ['client_credentials'],
};

type Tokens = Readonly<Record<string, unknown>>;

const statusOf = ({ access_token: token }: Tokens): Reference => referenceOf(token);

let clock: FakeClock;
let statusStore: StatusStore;

const isEnded = (tokens: Tokens): Promise<boolean> => isMarkedInStore(statusStore, statusOf(tokens));

describe.each(STORES)('Token Status List §6.2 access tokens on %s', (kind) => {
  const open = storesOf(kind);
  let steps: SteppedStore;
  let server: RunningServer;
  let client: TestClient;
  beforeEach(async () => {
    // The beginning of an hour.
    clock = new FakeClock(Date.now() - (Date.now() % (HOUR * 1000)));
    statusStore = createSqliteStatusStore(':memory:', clock);
    steps = createSteppedStore(await open(clock));
    server = await startServer({ store: steps.store, statusStore, clock });
    client = await register(server);
    return () => server[Symbol.asyncDispose]();
  });

  const revoke = ({ refresh_token: token }: Tokens) =>
    server.fetch('/revoke', form({ token: String(token), client_id: client.id }));
  /** Tokens of the hour before: the next one needs a new reference. */
  const issue = async () => {
    const tokens = await tokensFor(server, client);
    clock.advance(HOUR + 1);
    // Reads the client again. Otherwise the two actions of a test would wait for one read, which waits for one of them.
    await refresh(server, client, 'unknown');
    return tokens;
  };
  const renew = async ({ refresh_token: token }: Tokens) => read(await refresh(server, client, token));

  it('the tokens of one grant share a reference for an hour, and a refresh asks nothing of the lists', async () => {
    const first = await tokensFor(server, client);
    const allocate = vi.spyOn(statusStore, 'allocate');
    const second = await renew(first);
    const calls = await steps.count(() => renew(second));
    expect(statusOf(second)).toEqual(statusOf(first));
    expect(allocate).not.toHaveBeenCalled();
    await using without = await startServer({ store: steps.store, statusStore, clock, env: { STATUS_LISTS: 'off' } });
    const app = await register(without);
    const tokens = await read(await refresh(without, app, (await tokensFor(without, app)).refresh_token));
    expect(calls).toBe(await steps.count(() => refresh(without, app, tokens.refresh_token)));
  });

  it('STATUS_LISTS=off issues tokens without a reference, and the list of earlier ones stays', async () => {
    const { uri } = statusOf(await tokensFor(server, client));
    await using without = await startServer({ store: steps.store, statusStore, clock, env: { STATUS_LISTS: 'off' } });
    const app = await register(without);
    expect(decodeJwt(String((await tokensFor(without, app)).access_token))).not.toHaveProperty('status');
    expect((await without.fetch(uri)).status).toBe(200);
  });

  it('tokens of different grants and of different hours have different references', async () => {
    const [one, other] = [await tokensFor(server, client), await tokensFor(server, client)];
    expect(statusOf(other).uri).toBe(statusOf(one).uri);
    expect(statusOf(other).idx).not.toBe(statusOf(one).idx);
    clock.advance(HOUR + 1);
    const later = await renew(one);
    expect(statusOf(later).uri).not.toBe(statusOf(one).uri);
  });

  it('concurrent first tokens of a grant and an hour share one reference', async () => {
    const tokens = await tokensFor(server, client);
    clock.advance(HOUR + 1);
    const answers = await Promise.all(Array.from({ length: 8 }, () => renew(tokens)));
    const issued = answers.filter(({ access_token: token }) => token !== undefined).map(statusOf);
    expect(issued.length).toBeGreaterThan(0);
    expect(new Set(issued.map(({ idx }) => idx)).size).toBe(1);
  });

  const startMachines = () =>
    startServer({ store: steps.store, statusStore, clock, env: { CLIENTS: JSON.stringify([JOB]) } });
  const machineToken = async (machines: RunningServer) => {
    const { client_id, client_secret } = JOB;
    const asked = form({ grant_type: 'client_credentials', client_id, client_secret, resource: MCP });
    return read(await machines.fetch('/token', asked));
  };

  it('a machine client has one reference for all its tokens of an hour (RFC 6749 §4.4)', async () => {
    await using machines = await startMachines();
    const ask = () => machineToken(machines);
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, ask));
    expect(new Set(others.map((tokens) => statusOf(tokens).idx))).toEqual(new Set([statusOf(first ?? {}).idx]));
    clock.advance(HOUR + 1);
    expect(statusOf(await ask()).uri).not.toBe(statusOf(first ?? {}).uri);
  });

  it('RFC 6749 §4.4 a machine client gets no token or one that is marked, at whatever step of its request it is removed', async () => {
    await using machines = await startMachines();
    const marks = createStatusMarks({ store: statusStore, clock, random: (below) => randomInt(below) });
    const remove = () => revokeMachine(JOB.client_id, { store: steps.store, marks, clock }, true);
    const all = await steps.count(() => machineToken(machines));
    let refused = 0;
    for (let step = 0; step < all; step += 1) {
      clock.advance(HOUR + 1);
      const born = await steps.between({ step, other: remove }, () => machineToken(machines));
      if (born.access_token === undefined) refused += 1;
      else expect(await isEnded(born), `before call ${step} of ${all}`).toBe(true);
    }
    expect(refused).toBeGreaterThan(0);
  });

  it.each<[string, (tokens: Tokens) => Promise<unknown>]>([
    ['RFC 7009 §2.1 the revocation of the refresh token', revoke],
    [
      'RFC 9700 §4.14.2 the reuse of a refresh token',
      async (tokens) => {
        await renew(tokens);
        clock.advance(AFTER_GRACE);
        await renew(tokens);
      },
    ],
  ])('%s marks all tokens of the grant, of every hour, and no others', async (_, end) => {
    const other = await tokensFor(server, client);
    const first = await tokensFor(server, client);
    clock.advance(HOUR - 60);
    const second = await renew(first);
    clock.advance(120);
    const third = await renew(second);
    expect(statusOf(third).uri).not.toBe(statusOf(second).uri);
    await end(third);
    expect([await isEnded(second), await isEnded(third)]).toEqual([true, true]);
    expect(await isEnded(other)).toBe(false);
  });

  it('RFC 6749 §4.1.2 the reuse of a code marks the token that was issued for it', async () => {
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    expect(await isEnded(tokens)).toBe(false);
    await redeem(server, client, code);
    expect(await isEnded(tokens)).toBe(true);
  });

  it('RFC 7009 §2.1 a token is not issued or is marked, at whatever step of its issue the grant is revoked', async () => {
    const last = await issue();
    const all = await steps.count(() => renew(last));
    expect(all).toBeGreaterThan(4);
    for (let step = 0; step < all; step += 1) {
      const tokens = await issue();
      const born = await steps.between({ step, other: () => revoke(tokens) }, () => renew(tokens));
      if (born.access_token !== undefined) expect(await isEnded(born), `before call ${step} of ${all}`).toBe(true);
    }
  });

  it('RFC 7009 §2.1 all tokens are marked, at whatever step of a revocation another one is issued', async () => {
    const last = await issue();
    const all = await steps.count(() => revoke(last));
    for (let step = 0; step < all; step += 1) {
      const tokens = await issue();
      let born: Tokens = {};
      const other = async () => {
        born = await renew(tokens);
      };
      await steps.between({ step, other }, () => revoke(tokens));
      if (born.access_token !== undefined) expect(await isEnded(born), `before call ${step} of ${all}`).toBe(true);
    }
  });

  it('RFC 7009 §2.1 a revocation that was answered has marked the tokens, although the lists or the store failed', async () => {
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    vi.spyOn(statusStore, 'mark').mockRejectedValueOnce(new Error('lost'));
    expect((await revoke(tokens)).status).toBe(500);
    expect((await revoke(tokens)).status).toBe(200);
    expect(await isEnded(tokens)).toBe(true);
    const all = await steps.count(async () => revoke(await tokensFor(server, client)));
    for (let step = 0; step < all; step += 1) {
      const next = await tokensFor(server, client);
      const answer = await steps.without({ step, loss: 'once' }, () => revoke(next));
      if (answer.status !== 200) await revoke(next);
      expect(await isEnded(next)).toBe(true);
    }
  });

  it('another approval of the same grant keeps the references of its tokens', async () => {
    const tokens = await tokensFor(server, client);
    const grants = vi.spyOn(statusStore, 'mark');
    await authorize(server, client, { scope: 'mcp:tools mcp:admin', prompt: 'consent' });
    await revoke(tokens);
    expect(grants).toHaveBeenCalledTimes(1);
    expect(await isEnded(tokens)).toBe(true);
  });
});
