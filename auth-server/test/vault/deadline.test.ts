/** Proves that a question to an upstream ends before its lease does, so that no two requests use one refresh token. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import type { Connector, SignIn, UpstreamSession } from '../../src/federation/connector.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createRecheck, type Recheck } from '../../src/vault/recheck.ts';
import { createVault, type Vault } from '../../src/vault/vault.ts';

const EVERY = 600;
const identity = { issuer: 'https://acme.example', subject: 'alice' };
const account: Account = { accountId: localSubject(identity), connector: 'acme', identity };

/** A call of the connector that has not answered. */
interface Running {
  readonly session: UpstreamSession;
  readonly renewed: (session: UpstreamSession) => Promise<void>;
  readonly signal: AbortSignal;
  readonly answer: (signIn: SignIn) => void;
}

let clock: FakeClock;
let vault: Vault;
let accounts: ReturnType<typeof createAccounts>;
let recheck: Recheck;
let running: Running[];
let deadlines: { readonly seconds: number; readonly over: () => void }[];
let outcomes: string[];

beforeEach(async () => {
  clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  vault = createVault(store, { clock, lifetime: 90 * 86_400 });
  accounts = createAccounts(store, 90 * 86_400);
  [running, deadlines, outcomes] = [[], [], []];
  const ask: NonNullable<Connector['recheck']> = (session, renewed, signal) =>
    new Promise((answer) => void running.push({ session, renewed, signal, answer }));
  recheck = createRecheck({
    vault,
    accounts,
    clock,
    connectors: [{ id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example', connector: { recheck: ask } as Connector }],
    times: { every: EVERY, grace: 86_400 },
    deadline: (seconds) => {
      const controller = new AbortController();
      deadlines.push({ seconds, over: () => controller.abort() });
      return controller.signal;
    },
    onFailure: () => {},
    onOutcome: (_, outcome) => void outcomes.push(outcome),
  });
  await accounts.save(await recheck.remember(account, { refreshToken: 'token-1' }));
  clock.advance(EVERY);
}); // biome-ignore format: one row

const refresh = async () => recheck.gate((await accounts.find(account.accountId)) ?? account, 'token');
const storedToken = async () => (await vault.find(account))?.session?.refreshToken;

async function refreshUntilTheDeadline(): Promise<Running> {
  const refreshed = refresh();
  await expect.poll(() => running).toHaveLength(1);
  deadlines[0]?.over();
  expect(await refreshed).toEqual({});
  return running[0] as Running;
}

describe('the deadline of a question', () => {
  it('a connector that does not answer is told to stop, and counts as unavailable, before the lease ends', async () => {
    const { signal } = await refreshUntilTheDeadline();
    expect(signal.aborted).toBe(true);
    expect(outcomes).toEqual(['unavailable']);
    expect(deadlines.map(({ seconds }) => seconds < 60)).toEqual([true]);
    expect(await vault.find(account)).toMatchObject({ failingSince: expect.any(Number) });
    expect((await vault.find(account))?.lease).toBeUndefined();
  });

  it('RFC 6749 §6 a new refresh token that arrives after the deadline is stored', async () => {
    const { renewed } = await refreshUntilTheDeadline();
    await renewed({ refreshToken: 'token-2' });
    expect(await storedToken()).toBe('token-2');
  });

  it('an answer that arrives after the deadline changes nothing', async () => {
    const { answer } = await refreshUntilTheDeadline();
    const before = await accounts.find(account.accountId);
    answer({ identity: { ...identity, name: 'late' }, session: { refreshToken: 'token-2' } });
    await new Promise(setImmediate);
    expect(await accounts.find(account.accountId)).toEqual(before);
    expect(await storedToken()).toBe('token-1');
  });

  it('a new refresh token that arrives after a sign-in with another one is dropped', async () => {
    const { renewed } = await refreshUntilTheDeadline();
    await accounts.save(await recheck.remember(account, { refreshToken: 'of the sign-in' }));
    await renewed({ refreshToken: 'token-2' });
    expect(await storedToken()).toBe('of the sign-in');
  });
});
