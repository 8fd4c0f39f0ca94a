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
  const upstream = {
    current: 'token-0',
    asked: 0,
    reuses: 0,
    isDenying: false,
    group: '',
    isAnswering: async () => {},
  };
  const recheck: NonNullable<Connector['recheck']> = async ({ refreshToken }, renewed) => {
    upstream.asked += 1;
    const { group } = upstream;
    if (upstream.isDenying) {
      await upstream.isAnswering();
      throw new UpstreamError('denied', 'the person is disabled');
    }
    if (refreshToken !== upstream.current) {
      upstream.reuses += 1;
      upstream.current = 'none';
      throw new UpstreamError('ended', 'the refresh token was used before');
    }
    upstream.current = `token-${upstream.asked}`;
    const session = { refreshToken: upstream.current };
    await upstream.isAnswering();
    await renewed(session);
    return { identity: group ? { ...identity, memberships: { group: [group] } } : identity, session };
  };
  const replica = (store: typeof plain) => {
    const accounts = createAccounts(store, 86_400);
    const gate = createRecheck({
      vault: createVault(store, { clock, lifetime: 86_400 }),
      accounts,
      connectors: [{ id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example/callback/acme', connector: { recheck } as Connector }],
      clock,
      times: { every: EVERY, grace: 86_400 },
      deadline: () => new AbortController().signal,
      onFailure: () => {},
    });
    return {
      /** Without a refresh token: the upstream sends one with the first consent only. */
      signIn: async (refreshToken?: string) => {
        if (refreshToken !== undefined) upstream.current = refreshToken;
        await accounts.save(await gate.remember(account, { refreshToken, accessToken: 'of a sign-in' }));
      },
      refresh: async () => gate.gate((await accounts.find(account.accountId)) ?? account, 'token'),
    };
  }; // biome-ignore format: one row
  const groups = async () => (await createAccounts(plain, 1).find(account.accountId))?.identity.memberships?.group;
  return { clock, upstream, stepped, groups, first: replica(stepped.store), second: replica(plain) };
}
type World = ReturnType<typeof createWorld>;

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

  it('a sign-in between any two steps of a refusal is not refused', async () => {
    let signIns = 0;
    for (let step = 0; step === signIns; step += 1) {
      const { first, second, clock, stepped, upstream } = createWorld();
      await second.signIn('token-0');
      clock.advance(EVERY);
      upstream.isDenying = true;
      const other = async () => {
        await second.signIn('of the sign-in');
        signIns += 1;
      };
      await stepped.between({ step, other }, () => first.refresh());
      upstream.isDenying = false;
      clock.advance(EVERY + LEASE);
      const { refusal } = (await second.refresh()) ?? {};
      expect(refusal !== undefined, `step ${step}`).toBe(step === signIns);
    }
    expect(signIns).toBeGreaterThan(5);
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
    // The new refresh token is lost only if no write after the answer of the upstream succeeds.
    expect(ended).toBe(loss === 'once' ? 0 : 1);
  }); // biome-ignore format: one row
});

/** Signs in while a question is running, whose answer arrives just before this step of the sign-in, and again for the next step. */
async function duringEachSignIn(prepare: (world: World) => void, token: string | undefined, after: (world: World) => Promise<void>) {
  for (let step = 0, isOver = false; !isOver; step += 1) {
    const world = createWorld();
    const { first, second, clock, stepped, upstream } = world;
    await second.signIn('token-0');
    clock.advance(EVERY);
    prepare(world);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    upstream.isAnswering = () => {
      asked.resolve();
      return answer.promise;
    };
    const question = second.refresh();
    await asked.promise;
    upstream.isDenying = false;
    isOver = true;
    const other = async () => {
      isOver = false;
      answer.resolve();
      await question;
    };
    await stepped.between({ step, other }, () => first.signIn(token));
    answer.resolve();
    await question;
    upstream.isAnswering = async () => {};
    clock.advance(EVERY + LEASE);
    await after(world);
  }
} // biome-ignore format: one row

describe('a request that waits for the answer of another one', () => {
  it('a waiting request reads one record at each of its 40 looks', async () => {
    const { first, second, clock, stepped, upstream } = createWorld();
    await second.signIn('token-0');
    clock.advance(EVERY);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    upstream.isAnswering = () => {
      asked.resolve();
      return answer.promise;
    };
    const question = second.refresh();
    await asked.promise;
    // Besides: the account and the record before the first look, and the account after the last one.
    expect(await stepped.count(() => first.refresh())).toBe(40 + 3);
    answer.resolve();
    await question;
  });
});

describe('an answer that arrives during a sign-in', () => {
  it('a refusal of the person is dropped, because the sign-in is newer', () =>
    duringEachSignIn(
      ({ upstream }) => {
        upstream.isDenying = true;
      },
      'of the sign-in',
      async ({ second, upstream }) => {
        expect((await second.refresh())?.refusal).toBeUndefined();
        expect(upstream.reuses).toBe(0);
      },
    ));

  it('groups of an earlier answer do not replace those of the sign-in', () =>
    duringEachSignIn(
      ({ upstream }) => {
        upstream.group = 'before the sign-in';
      },
      'of the sign-in',
      async ({ groups }) => expect(await groups()).toBeUndefined(),
    ));

  it('RFC 6749 §6 the refresh token that a sign-in has kept gets its successor', () =>
    duringEachSignIn(
      () => {},
      undefined,
      async ({ second, upstream }) => {
        expect((await second.refresh())?.refusal).toBeUndefined();
        expect([upstream.asked, upstream.reuses]).toEqual([2, 0]);
      },
    ));
});
