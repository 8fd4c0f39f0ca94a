/** Proves when a session of an upstream leaves the store: when it is deleted, and at the latest with the last grant of its person. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import type { Connector, UpstreamSession } from '../../src/federation/connector.ts';
import { localSubject } from '../../src/federation/subject.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createRecheck, type Recheck } from '../../src/vault/recheck.ts';
import { createVault, type Vault } from '../../src/vault/vault.ts';

const DAY = 86_400;
const EVERY = 600;
const GRACE = DAY;
/** Of grants and of sessions. */
const LIFETIME = 90 * DAY;
const identity = { issuer: 'https://acme.example', subject: 'alice' };
const account: Account = { accountId: localSubject(identity), connector: 'acme', identity };

let clock: FakeClock;
let store: RecordStore;
let vault: Vault;
let accounts: ReturnType<typeof createAccounts>;
let recheck: Recheck;
let asked: number;
let whileAsking: () => Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  vault = createVault(store, { clock, lifetime: LIFETIME });
  accounts = createAccounts(store, LIFETIME);
  asked = 0;
  whileAsking = async () => {};
  const ask: NonNullable<Connector['recheck']> = async (session) => {
    asked += 1;
    await whileAsking();
    return { identity, session };
  };
  const connector = { recheck: ask } as Connector;
  recheck = createRecheck({
    vault,
    accounts,
    clock,
    connectors: [{ id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example/callback/acme', connector }],
    times: { every: EVERY, grace: GRACE },
    deadline: () => new AbortController().signal,
    onFailure: () => {},
  });
  await signIn({ refreshToken: 'token-1' });
});

const now = () => Math.floor(clock.now() / 1000);
const signIn = async (session: UpstreamSession) => accounts.save(await recheck.remember(account, session));
const at = async (occasion: 'session' | 'token', approvedAt?: number) =>
  recheck.gate((await accounts.find(account.accountId)) ?? account, occasion, approvedAt);
const isStored = async () => (await vault.find(account)) !== undefined;
const sessionOf = async () => (await vault.find(account))?.session;

describe('the lifetime of a session of an upstream', () => {
  it('an upstream session ends with the last grant that the sign-in made possible, however often the upstream is asked', async () => {
    const approvedAt = now();
    clock.advance(89 * DAY);
    await at('token', approvedAt);
    expect([asked, await isStored()]).toEqual([1, true]);
    clock.advance(DAY);
    expect(await isStored()).toBe(false);
  });

  it('an upstream session lasts as long as a grant that was approved later in the same browser session', async () => {
    clock.advance(40 * DAY);
    const approvedAt = now();
    await at('token', approvedAt);
    clock.advance(89 * DAY);
    expect(await isStored()).toBe(true);
    clock.advance(DAY);
    expect(await isStored()).toBe(false);
  });

  it('a new sign-in begins it anew', async () => {
    clock.advance(40 * DAY);
    await signIn({ refreshToken: 'token-2' });
    clock.advance(89 * DAY);
    expect(await isStored()).toBe(true);
  });

  it('a person whose session is over is not let in unasked: they sign in again', async () => {
    clock.advance(80 * DAY);
    await at('token');
    clock.advance(10 * DAY);
    const refusal = { reason: 'the session at the identity provider has ended' };
    expect([await at('token'), await at('session')]).toMatchObject([{ refusal }, { refusal }]);
    expect((await at('token'))?.refusal?.isFinal).toBeUndefined();
    await signIn({ refreshToken: 'token-2' });
    expect([await at('token'), await at('session')]).toEqual([undefined, undefined]);
  });

  it('a person who signed in before there were re-checks goes on', async () => {
    await accounts.save({ ...account, accountId: 'earlier' });
    const earlier = (await accounts.find('earlier')) as Account;
    expect([await recheck.gate(earlier, 'token'), await recheck.gate(earlier, 'session')]).toEqual([{}, undefined]);
  });
});

describe('a session of an upstream that is deleted', () => {
  it('a deleted session leaves no tokens and claims in the store, and the person is asked to sign in at the upstream', async () => {
    await recheck.forget(account);
    expect(await sessionOf()).toBeUndefined();
    clock.advance(EVERY);
    const ended = { refusal: { reason: 'the session at the identity provider has ended' } };
    expect([await at('token'), await at('session')]).toMatchObject([{}, ended]);
    clock.advance(GRACE);
    expect(await at('token')).toMatchObject({ refusal: { reason: expect.stringContaining('UPSTREAM_GRACE') } });
    expect(asked).toBe(0);
    await signIn({ refreshToken: 'token-2' });
    clock.advance(EVERY);
    expect(await at('token')).toMatchObject({ account: { accountId: account.accountId } });
  });

  it('a question that is running does not bring it back', async () => {
    clock.advance(EVERY);
    whileAsking = () => recheck.forget(account);
    await at('token');
    expect([asked, await sessionOf()]).toEqual([1, undefined]);
  });

  it('a sign-in without a refresh token does not bring it back', async () => {
    await recheck.forget(account);
    await signIn({ accessToken: 'new' });
    expect(await sessionOf()).toEqual({ accessToken: 'new' });
  });

  it('nothing is stored for a person who has no session', async () => {
    const other = { connector: 'acme', accountId: 'nobody' };
    await recheck.forget(other);
    expect(await vault.find(other)).toBeUndefined();
  });
});
