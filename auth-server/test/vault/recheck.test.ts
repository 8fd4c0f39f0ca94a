/** Proves that the upstream is asked again about a person: when, how often, and what each answer means for a refresh. */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import { type Connector, UpstreamError, type UpstreamSession } from '../../src/federation/connector.ts';
import { localSubject } from '../../src/federation/subject.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createRecheck, type Recheck } from '../../src/vault/recheck.ts';
import { createVault, type Vault } from '../../src/vault/vault.ts';

const EVERY = 600;
const GRACE = 86_400;
const issuer = 'https://acme.example';
const identity = { issuer, subject: 'alice', name: 'Alice' };
const accountId = localSubject(identity);
const account: Account = { accountId, connector: 'acme', identity };
const session: UpstreamSession = { refreshToken: 'token-1' };
const key = randomBytes(32);

type Ask = NonNullable<Connector['recheck']>;

let clock: FakeClock;
let plain: RecordStore;
let vault: Vault;
let accounts: ReturnType<typeof createAccounts>;
let asked: UpstreamSession[];
let outcomes: string[];
let failures: string[];
let answer: Ask;
let recheck: Recheck;

const ACME = { id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example/callback/acme', secrets: ['secret-1'] };

const dependencies = (every = EVERY) => ({
  vault,
  accounts,
  clock,
  times: { every, grace: GRACE },
  deadline: () => new AbortController().signal,
  onFailure: (_upstream: object, { accountId: subject }: Account, error: Error) =>
    void failures.push(`${subject}: ${error.message}`),
  onOutcome: (_connector: string, outcome: string) => void outcomes.push(outcome),
});

/** One auth-server on the store of the test. */
function replica(every = EVERY): Recheck {
  const ask: Ask = (with_, ...others) => {
    asked.push(with_);
    return answer(with_, ...others);
  };
  const connector = { recheck: ask } as Connector;
  return createRecheck({ ...dependencies(every), connectors: [{ ...ACME, connector }] });
}

beforeEach(async () => {
  clock = new FakeClock();
  plain = createSqliteStore(':memory:', clock);
  const store = createSealedStore(plain, [key]);
  vault = createVault(store, { clock, lifetime: 90 * 86_400 });
  accounts = createAccounts(store, 90 * 86_400);
  [asked, outcomes, failures] = [[], [], []];
  answer = async (last) => ({ identity, session: last });
  recheck = replica();
  await accounts.save(await recheck.remember(account, session));
});

const stored = async () => (await accounts.find(accountId)) as Account;
const refresh = async (at = recheck) => at.gate(await stored(), 'token');
const fails = (reason: ConstructorParameters<typeof UpstreamError>[0]) => {
  answer = async () => {
    throw new UpstreamError(reason, `it said ${reason}`);
  };
};

describe('UPSTREAM_RECHECK a refresh', () => {
  it('a refresh asks the upstream when its last answer is too old, and not before', async () => {
    clock.advance(EVERY - 1);
    expect(await refresh()).toBeUndefined();
    expect(asked).toHaveLength(0);
    clock.advance(1);
    expect(await refresh()).toMatchObject({ account: { checkedAt: Math.floor(clock.now() / 1000) } });
    expect(await refresh()).toBeUndefined();
    expect(asked).toEqual([session]);
    expect(outcomes).toEqual(['ok']);
  });

  it('a refresh within UPSTREAM_RECHECK reads nothing from the store', async () => {
    const known = await stored();
    vault = createVault(undefined as never, { clock, lifetime: 1 });
    accounts = createAccounts(undefined as never, 1);
    expect(await replica().gate(known, 'token')).toBeUndefined();
  });

  it('Apple docs "Verifying a user": an upstream may ask to be asked less often', async () => {
    const connector = { recheck: async () => expect.fail('too early'), recheckEvery: 86_400 } as unknown as Connector;
    const slow = createRecheck({ ...dependencies(), connectors: [{ ...ACME, connector }] });
    clock.advance(86_399);
    expect(await refresh(slow)).toBeUndefined();
  });

  it('groups that the upstream names now reach the gates that follow, and are stored', async () => {
    answer = async (last) => ({ identity: { ...identity, memberships: { group: ['ops'] } }, session: last });
    clock.advance(EVERY);
    expect(await refresh()).toMatchObject({ account: { identity: { memberships: { group: ['ops'] } } } });
    expect((await stored()).identity.memberships).toEqual({ group: ['ops'] });
  });

  it('a name that the upstream sent at the first sign-in only is kept', async () => {
    answer = async (last) => ({ identity: { issuer, subject: 'alice' }, session: last });
    clock.advance(EVERY);
    await refresh();
    expect((await stored()).identity.name).toBe('Alice');
  });

  it('RFC 6749 §6 a rotated refresh token is stored before anything else is asked', async () => {
    answer = async (_, renewed) => {
      await renewed({ refreshToken: 'token-2' });
      throw new UpstreamError('unavailable', 'userinfo is away');
    };
    clock.advance(EVERY);
    expect(await refresh()).toEqual({});
    clock.advance(EVERY);
    await refresh();
    expect(asked.map(({ refreshToken }) => refreshToken)).toEqual(['token-1', 'token-2']);
  });

  it('nobody is asked where UPSTREAM_RECHECK is off, and no session is stored', async () => {
    clock.advance(EVERY);
    expect(await refresh(replica(0))).toBeUndefined();
    await replica(0).remember({ ...account, accountId: 'another' }, session);
    expect(await vault.find({ ...account, accountId: 'another' })).toBeUndefined();
    expect(asked).toHaveLength(0);
  });

  it('nobody is asked with an access token that has expired, where there is no refresh token', async () => {
    const expiresAt = Math.floor(clock.now() / 1000) + EVERY;
    await vault.change(account, () => ({ session: { accessToken: 'short', expiresAt }, askedAt: 0 }));
    clock.advance(EVERY);
    expect(await refresh()).toEqual({});
    expect(asked).toHaveLength(0);
  });

  it('a sign-in and the use of a browser session ask nobody', async () => {
    clock.advance(EVERY);
    expect(await recheck.gate(await stored(), 'sign-in')).toBeUndefined();
    expect(await recheck.gate(await stored(), 'session')).toBeUndefined();
    expect(asked).toHaveLength(0);
  });
});

describe('the answer of the upstream', () => {
  beforeEach(() => clock.advance(EVERY));

  it('a final refusal ends every grant of the person and their browser session, and is not asked about again', async () => {
    fails('denied');
    const refusal = { isFinal: true, reason: expect.stringContaining('it said denied') };
    expect(await refresh()).toMatchObject({ refusal });
    expect(await refresh()).toMatchObject({ refusal });
    expect(await recheck.gate(await stored(), 'session')).toMatchObject({ refusal });
    expect(asked).toHaveLength(1);
    expect((await vault.find(account))?.session).toBeUndefined();
  });

  it('a final refusal is remembered without the secrets that the upstream repeats', async () => {
    answer = async () => {
      throw new UpstreamError('denied', 'no', { upstreamDescription: 'secret-1 with token-1 may not' });
    };
    const reason = String((await refresh())?.refusal?.reason);
    for (const text of [reason, JSON.stringify(await stored())]) {
      expect(text).toContain('may not');
      expect(text).not.toMatch(/secret-1|token-1/);
    }
  });

  it('a new sign-in lifts a final refusal', async () => {
    fails('denied');
    await refresh();
    await accounts.save(await recheck.remember(account, { refreshToken: 'token-2' }));
    expect(await refresh()).toBeUndefined();
  });

  it.each(['unavailable', 'ended', 'misconfigured', 'invalid_answer'] as const)(
    'UPSTREAM_GRACE %s signs nobody out before the grace is over, and is asked about once in UPSTREAM_RECHECK',
    async (reason) => {
      fails(reason);
      expect(await refresh()).toEqual({});
      expect(await refresh()).toEqual({});
      expect(asked).toHaveLength(1);
      clock.advance(GRACE - 1);
      expect(await refresh()).toEqual({});
      clock.advance(1);
      const refusal = await refresh();
      expect(refusal).toMatchObject({ refusal: { reason: expect.stringContaining('UPSTREAM_GRACE') } });
      expect(refusal?.refusal?.isFinal).toBeUndefined();
      expect(outcomes).toEqual([reason, reason]);
      expect(failures[0]).toBe(`${accountId}: it said ${reason}`);
    },
  );

  it('UPSTREAM_GRACE an access token that was refused before it expired starts the grace, which goes on when it has expired', async () => {
    const expiresAt = Math.floor(clock.now() / 1000) + EVERY;
    await vault.change(account, () => ({ session: { accessToken: 'short', expiresAt }, askedAt: 0 }));
    fails('ended');
    expect(await refresh()).toEqual({});
    clock.advance(GRACE - 1);
    expect(await refresh()).toEqual({});
    clock.advance(1);
    expect(await refresh()).toMatchObject({ refusal: { reason: expect.stringContaining('UPSTREAM_GRACE') } });
    expect(asked).toHaveLength(1);
  });

  it('the same refresh works again when the upstream answers after the grace', async () => {
    fails('unavailable');
    await refresh();
    clock.advance(GRACE);
    answer = async (last) => ({ identity, session: last });
    expect(await refresh()).toMatchObject({ account: { accountId } });
    fails('unavailable');
    clock.advance(EVERY);
    expect(await refresh()).toEqual({});
  });

  it('OpenID Connect Core §12.2 an answer about another subject is refused', async () => {
    answer = async (last) => ({ identity: { issuer, subject: 'mallory' }, session: last });
    const reason = expect.stringContaining('another person');
    expect(await refresh()).toMatchObject({ refusal: { isFinal: true, reason } });
    expect((await stored()).identity).toEqual(identity);
  });

  it('a bug in a connector is an answer that is not valid', async () => {
    answer = async () => undefined as never;
    await refresh();
    answer = async () => {
      throw new TypeError('of the connector');
    };
    clock.advance(EVERY);
    expect(await refresh()).toEqual({});
    expect(outcomes).toEqual(['invalid_answer', 'invalid_answer']);
  });
});

describe('RFC 9700 §4.14.2 requests at the same time', () => {
  beforeEach(() => clock.advance(EVERY));

  it('one of twenty refreshes on two replicas asks, and all get its answer', async () => {
    answer = async (last, renewed) => {
      await renewed({ refreshToken: 'token-2' });
      return { identity: { ...identity, name: 'Alice B.' }, session: { ...last, refreshToken: 'token-2' } };
    };
    const other = replica();
    const found = await Promise.all(Array.from({ length: 20 }, (_, n) => refresh(n % 2 ? other : recheck)));
    expect(asked).toHaveLength(1);
    expect(new Set(found.map((verdict) => verdict?.account?.identity.name))).toEqual(new Set(['Alice B.']));
    expect((await vault.find(account))?.session).toEqual({ refreshToken: 'token-2' });
  });

  it('a request does not wait for long: it goes on with the last answer while another one asks', async () => {
    let end = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    answer = async (last) => {
      await held;
      return { identity, session: last };
    };
    const slow = refresh();
    await expect.poll(() => asked).toHaveLength(1);
    expect(await refresh()).toEqual({});
    end();
    expect(await slow).toMatchObject({ account: { accountId } });
    expect(asked).toHaveLength(1);
  });

  it('a replica that stopped while it asked is replaced by another one after a minute', async () => {
    answer = () => new Promise(() => {});
    void refresh();
    await expect.poll(() => asked).toHaveLength(1);
    answer = async (last) => ({ identity, session: last });
    clock.advance(60);
    expect(await refresh(replica())).toMatchObject({ account: { accountId } });
    expect(asked).toHaveLength(2);
  });

  it('a sign-in during a question is newer than its answer', async () => {
    answer = async () => {
      await accounts.save(await recheck.remember(account, { refreshToken: 'of the sign-in' }));
      throw new UpstreamError('denied', 'too late');
    };
    expect(await refresh()).toMatchObject({ account: { accountId } });
    expect((await stored()).denied).toBeUndefined();
    expect((await vault.find(account))?.session?.refreshToken).toBe('of the sign-in');
  });
});

describe('CWE-311 a session of an upstream in the store', () => {
  it('tokens of an upstream are not readable in the store', async () => {
    const record = await plain.get('UpstreamSession', `acme:${accountId}`);
    expect(JSON.stringify(record)).not.toContain('token-1');
    expect(record?.value).toMatchObject({ session: expect.stringMatching(/^sealed:/), askedAt: expect.any(Number) });
  });

  it.each([
    ['another person', 'acme', 'somebody-else'],
    ['another connector', 'other', accountId],
  ])('a record that was moved to %s cannot be opened', async (_, connector, person) => {
    const { value } = (await plain.get('UpstreamSession', `acme:${accountId}`)) ?? {};
    await plain.put('UpstreamSession', `${connector}:${person}`, value ?? {}, { ttl: 60 });
    await expect(vault.find({ connector, accountId: person })).rejects.toThrow(/cannot be decrypted/);
  });

  it('a record that cannot be opened makes the person sign in again', async () => {
    vault = createVault(createSealedStore(plain, [randomBytes(32)]), { clock, lifetime: 60 });
    clock.advance(EVERY);
    const { refusal } = (await refresh(replica())) ?? {};
    expect(refusal).toMatchObject({ reason: expect.stringMatching(/^STORAGE_KEYS: /) });
    expect(refusal?.isFinal).toBeUndefined();
    await accounts.save(await replica().remember(account, { accessToken: 'new' }));
    expect((await vault.find(account))?.session).toEqual({ accessToken: 'new' });
  });

  it.each([
    ['an outage', 'unavailable', 'token-1'],
    ['settings that the upstream refuses', 'misconfigured', 'token-1'],
    ['the end of its session', 'ended', undefined],
  ] as const)('after %s, a sign-in without a refresh token keeps an earlier one unless it has ended', async (_, reason, kept) => {
    await recheck.remember(account, { accessToken: 'new' });
    expect((await vault.find(account))?.session).toEqual({ accessToken: 'new', refreshToken: 'token-1' });
    fails(reason);
    clock.advance(EVERY);
    await refresh();
    await recheck.remember(account, { accessToken: 'newer' });
    const { session } = (await vault.find(account)) ?? {};
    expect([session?.accessToken, session?.refreshToken]).toEqual(['newer', kept]);
  }); // biome-ignore format: one row
});
