/** Proves that a person who has to sign in again is asked by the identity provider, and that the new sign-in is then what counts. */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Account, createAccounts } from '../../src/federation/account.ts';
import {
  type Connector,
  UpstreamError,
  type UpstreamReason,
  type UpstreamSession,
} from '../../src/federation/connector.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createRecheck, type Recheck } from '../../src/vault/recheck.ts';
import { createVault, type Vault } from '../../src/vault/vault.ts';

const EVERY = 600;
const GRACE = 86_400;
const identity = { issuer: 'https://acme.example', subject: 'alice' };
const account: Account = { accountId: localSubject(identity), connector: 'acme', identity };

let clock: FakeClock;
let accounts: ReturnType<typeof createAccounts>;
let vault: Vault;
let reason: UpstreamReason | undefined;
let recheck: Recheck;

/** An auth-server on the store of the test that encrypts with this key. */
function start(store: ReturnType<typeof createSqliteStore>, key: Buffer): void {
  const sealed = createSealedStore(store, [key]);
  vault = createVault(sealed, { clock, lifetime: 90 * 86_400 });
  accounts = createAccounts(sealed, 90 * 86_400);
  const ask: NonNullable<Connector['recheck']> = async (session) => {
    if (reason) throw new UpstreamError(reason, `it said ${reason}`);
    return { identity, session };
  };
  const upstream = { id: 'acme', title: 'Acme', callbackUrl: 'https://auth.example/callback/acme' };
  recheck = createRecheck({
    vault,
    accounts,
    clock,
    connectors: [{ ...upstream, connector: { recheck: ask } as Connector }],
    times: { every: EVERY, grace: GRACE },
    deadline: () => new AbortController().signal,
    onFailure: () => {},
  });
}

let store: ReturnType<typeof createSqliteStore>;
beforeEach(async () => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  reason = undefined;
  start(store, randomBytes(32));
  await signIn({ refreshToken: 'token-1' });
});

const signIn = async (session: UpstreamSession | undefined) => accounts.save(await recheck.remember(account, session));
const at = async (occasion: 'session' | 'token') => {
  const verdict = await recheck.gate((await accounts.find(account.accountId)) ?? account, occasion);
  return verdict?.refusal?.reason;
};
const refresh = () => at('token');
const authorize = () => at('session');
const failFor = async (seconds: number, why: UpstreamReason) => {
  reason = why;
  clock.advance(EVERY);
  await refresh();
  clock.advance(seconds);
};

describe('UPSTREAM_GRACE the browser session of a person who is not confirmed', () => {
  it.each(['unavailable', 'ended'] as const)(
    'after the grace an authorization asks for a new sign-in as a refresh does, when the upstream said %s',
    async (why) => {
      await failFor(GRACE, why);
      expect(await refresh()).toMatch(/UPSTREAM_GRACE/);
      expect(await authorize()).toMatch(/UPSTREAM_GRACE|ended/);
      await signIn({ refreshToken: 'token-2' });
      expect([await authorize(), await refresh()]).toEqual([undefined, undefined]);
    },
  );

  it('once the session at the upstream has ended, an authorization asks for a new sign-in, and refreshes go on', async () => {
    await failFor(0, 'ended');
    expect([await authorize(), await refresh()]).toEqual([expect.stringMatching(/ended/), undefined]);
    await failFor(0, 'unavailable');
    expect(await authorize()).toMatch(/ended/);
  });

  it('an outage asks nobody to sign in within the grace', async () => {
    await failFor(GRACE - 1, 'unavailable');
    expect([await authorize(), await refresh()]).toEqual([undefined, undefined]);
  });

  it('a session that is confirmed again after it had ended is used again', async () => {
    await failFor(EVERY, 'ended');
    reason = undefined;
    expect([await refresh(), await authorize()]).toEqual([undefined, undefined]);
    clock.advance(EVERY);
    expect(await authorize()).toBeUndefined();
  });

  it('CWE-311 a record that cannot be opened asks for a new sign-in', async () => {
    start(store, randomBytes(32));
    clock.advance(EVERY);
    expect([await refresh(), await authorize()]).toEqual(Array(2).fill(expect.stringMatching(/^STORAGE_KEYS/)));
    await signIn({ refreshToken: 'token-2' });
    clock.advance(EVERY);
    expect([await authorize(), await refresh()]).toEqual([undefined, undefined]);
  });

  it.each([
    ['no session', undefined],
    ['nothing to ask with', { idToken: { sub: 'alice' } }],
  ])('a new sign-in that brings %s ends the failure too', async (_, session) => {
    await failFor(GRACE, 'ended');
    await signIn(session);
    clock.advance(EVERY);
    expect([await authorize(), await refresh()]).toEqual([undefined, undefined]);
  });

  it('a session whose person was confirmed recently costs no read', async () => {
    const known = (await accounts.find(account.accountId)) as Account;
    start(undefined as never, randomBytes(32));
    expect(await recheck.gate(known, 'session')).toBeUndefined();
  });
});
