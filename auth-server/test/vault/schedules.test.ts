/**
 * Proves what happens between any two steps of a re-check: another replica asks at that moment, the person signs in, or the store is
 * lost. The upstream of this test ends a family of refresh tokens when an old one is used (RFC 9700 §4.14.2).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import { type Connector, UpstreamError } from '../../src/federation/connector.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createRecheck } from '../../src/vault/recheck.ts';
import { createVault } from '../../src/vault/vault.ts';
import { createSteppedStore } from '../support/stepped-store.ts';

// Nobody has to wait for the result of another request.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

const EVERY = 600;
const LEASE = 60;
const identity = { issuer: 'https://acme.example', subject: 'alice' };
const account: Account = { accountId: localSubject(identity), connector: 'acme', identity };

/** Two replicas on one store; only the first one is interrupted. */
function createWorld() {
  const clock = new FakeClock();
  const plain = createSqliteStore(':memory:', clock);
  const stepped = createSteppedStore(plain);
  const upstream = { current: 'token-0', asked: 0, reuses: 0 };
  const recheck: NonNullable<Connector['recheck']> = async ({ refreshToken }, renewed) => {
    upstream.asked += 1;
    if (refreshToken !== upstream.current) {
      upstream.reuses += 1;
      upstream.current = 'none';
      throw new UpstreamError('ended', 'the refresh token was used before');
    }
    upstream.current = `token-${upstream.asked}`;
    const session = { refreshToken: upstream.current };
    await renewed(session);
    return { identity, session };
  };
  const replica = (store: typeof plain) => {
    const accounts = createAccounts(store, 86_400);
    const gate = createRecheck({
      vault: createVault(store, 86_400),
      accounts,
      connectors: [{ id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example/callback/acme', connector: { recheck } as Connector }],
      clock,
      times: { every: EVERY, grace: 86_400 },
      onFailure: () => {},
    });
    return {
      signIn: async (refreshToken: string) => {
        upstream.current = refreshToken;
        await accounts.save(await gate.remember(account, { refreshToken }));
      },
      refresh: async () => gate.gate((await accounts.find(account.accountId)) ?? account, 'token'),
    };
  }; // biome-ignore format: one row
  return { clock, upstream, stepped, first: replica(stepped.store), second: replica(plain) };
}

let steps: number[];
beforeEach(async () => {
  const { first, second, clock, stepped } = createWorld();
  await second.signIn('token-0');
  clock.advance(EVERY);
  steps = [...Array(await stepped.count(() => first.refresh())).keys()];
});

describe('RFC 9700 §4.14.2 a re-check', () => {
  it('the upstream is asked once, wherever another replica refreshes in between', async () => {
    expect(steps.length).toBeGreaterThan(5);
    for (const step of steps) {
      const { first, second, clock, stepped, upstream } = createWorld();
      await second.signIn('token-0');
      clock.advance(EVERY);
      const found = await stepped.between({ step, other: () => second.refresh() }, () => first.refresh());
      expect([upstream.asked, upstream.reuses, found?.refusal], `step ${step}`).toEqual([1, 0, undefined]);
      clock.advance(EVERY);
      await second.refresh();
      expect([upstream.asked, upstream.reuses], `step ${step}, later`).toEqual([2, 0]);
    }
  });

  it('a sign-in in between is what counts from then on', async () => {
    for (const step of steps) {
      const { first, second, clock, stepped, upstream } = createWorld();
      await second.signIn('token-0');
      clock.advance(EVERY);
      await stepped.between({ step, other: () => second.signIn('of the sign-in') }, () => first.refresh());
      clock.advance(EVERY + LEASE);
      expect((await second.refresh())?.refusal, `step ${step}`).toBeUndefined();
      expect(upstream.reuses, `step ${step}`).toBe(0);
    }
  });

  it.each(['once', 'from then on'] as const)('a store that is lost %s never takes access away from the person', async (loss) => {
    let ended = 0;
    for (const step of steps) {
      const { first, second, clock, stepped, upstream } = createWorld();
      await second.signIn('token-0');
      clock.advance(EVERY);
      await stepped.without({ step, loss }, () => first.refresh()).catch(({ status }) => expect(status).toBe(503));
      clock.advance(LEASE);
      expect((await second.refresh())?.refusal, `step ${step}`).toBeUndefined();
      ended += upstream.reuses;
    }
    // The new refresh token is lost with the write that follows the answer of the upstream, and with no other.
    expect(ended).toBe(1);
  }); // biome-ignore format: one row
});
