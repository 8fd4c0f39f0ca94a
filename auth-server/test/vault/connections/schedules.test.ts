/**
 * Proves what happens between any two steps of a renewal: another replica needs the token at that moment, the person connects or
 * disconnects the account, or the store is lost. The upstream of this test ends a connection when an old refresh token is used.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAccounts } from '../../../src/federation/account.ts';
import { type ToolAccess, UpstreamError, type UpstreamSession } from '../../../src/federation/connector.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createConnections } from '../../../src/vault/connections/connections.ts';
import { createVault } from '../../../src/vault/vault.ts';
import { createSteppedStore } from '../../support/stepped-store.ts';

// Nobody has to wait for the result of another request.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

const LIFETIME = 86_400;
const LEASE = 60;
const holder = { connector: 'git', accountId: 'alice' };

/** Two replicas on one store; only the first one is interrupted. */
async function createWorld() {
  const clock = new FakeClock();
  const plain = createSqliteStore(':memory:', clock);
  const stepped = createSteppedStore(plain);
  const upstream = { current: 'token-0', asked: 0, reuses: 0, revoked: [] as (string | undefined)[] };
  const sessionOf = (refreshToken: string, lifetime = 3_600): UpstreamSession => ({
    accessToken: `access of ${refreshToken}`,
    refreshToken,
    expiresAt: Math.floor(clock.now() / 1000) + lifetime,
  });
  const access: ToolAccess = {
    begin: async () => expect.fail('it is not begun here'),
    finish: async () => expect.fail('it is not finished here'),
    refresh: async ({ session: { refreshToken }, scopes }) => {
      upstream.asked += 1;
      if (refreshToken !== upstream.current) {
        upstream.reuses += 1;
        throw new UpstreamError('ended', 'the refresh token was used before');
      }
      upstream.current = `token-${upstream.asked}`;
      return { session: sessionOf(upstream.current), scopes };
    },
    revoke: async ({ refreshToken }) => void upstream.revoked.push(refreshToken),
  };
  const replica = (store: typeof plain) => {
    const connections = createConnections({
      vault: createVault(store, { clock, lifetime: LIFETIME }),
      clock,
      accounts: createAccounts(store, LIFETIME),
      tools: [{ id: 'git', title: 'Git', access, scopes: [], callbackUrl: 'https://auth.example/callback/git' }],
      deadline: () => new AbortController().signal,
      onFailure: () => {},
    });
    return {
      connect: async (refreshToken: string, lifetime?: number) => {
        upstream.current = refreshToken;
        await connections.connect(holder, { session: sessionOf(refreshToken, lifetime), scopes: [] });
      },
      disconnect: () => connections.disconnect(holder),
      token: () => connections.token(holder, { scopes: [] }),
    };
  };
  const [first, second] = [replica(stepped.store), replica(plain)];
  await second.connect('token-0', 0);
  return { clock, upstream, stepped, first, second };
}
type World = Awaited<ReturnType<typeof createWorld>>;

let steps: number[];
beforeEach(async () => {
  const { stepped, first } = await createWorld();
  steps = [...Array(await stepped.count(first.token)).keys()];
  expect(steps.length).toBeGreaterThan(4);
});

const unavailable = (error: unknown) => {
  expect(error).toMatchObject({ reason: 'unavailable' });
  return undefined;
};
const eachStep = async (
  other: (world: World) => Promise<unknown>,
  judge: (world: World, found: unknown) => unknown,
) => {
  for (const step of steps) {
    const world = await createWorld();
    const found = world.stepped.between({ step, other: () => other(world) }, world.first.token).catch(unavailable);
    await judge(world, await found);
  }
};

describe('RFC 9700 §4.14.2 between any two steps of a renewal', () => {
  it('another replica needs the token: no refresh token is used twice, and the next request gets the newest', () =>
    eachStep(
      ({ second }) => second.token().catch(unavailable),
      async ({ upstream, second }) => {
        expect([upstream.asked, upstream.reuses]).toEqual([1, 0]);
        expect(await second.token()).toMatchObject({ token: 'access of token-1' });
      },
    ));

  it('the person connects the account again: the new tokens stay', () =>
    eachStep(
      ({ second }) => second.connect('anew'),
      async ({ second }) => expect(await second.token()).toMatchObject({ token: 'access of anew' }),
    ));

  it('the person disconnects the account: no token is given afterwards, and none is left at the upstream', () =>
    eachStep(
      ({ second }) => second.disconnect(),
      async ({ upstream, second }) => {
        expect(await second.token()).toEqual({ needs: 'connection' });
        expect(upstream.revoked).toContain(upstream.current);
      },
    ));

  it('the store fails for one step: the refresh token that was exchanged is not lost', async () => {
    for (const step of steps) {
      const { clock, upstream, stepped, first, second } = await createWorld();
      await stepped.without({ step, loss: 'once' }, first.token).catch(() => undefined);
      clock.advance(LEASE);
      expect(await second.token()).toMatchObject({ token: expect.stringMatching(/^access of token-/) });
      expect(upstream.reuses).toBe(0);
    }
  });

  it('the store is lost: another replica renews after the lease, or the person has to connect the account again', async () => {
    for (const step of steps) {
      const { clock, stepped, first, second } = await createWorld();
      await stepped.without({ step, loss: 'from then on' }, first.token).catch(() => undefined);
      clock.advance(LEASE);
      const found = await second.token();
      if ('needs' in found) expect(found.needs).toBe('consent');
      else expect(found.token).toMatch(/^access of token-/);
    }
  });
});
