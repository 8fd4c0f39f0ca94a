/** Proves what tools get of a connected account: its tokens, renewed once, or what only the person can give; and how it ends. */
import { createHash, randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Account, createAccounts } from '../../../src/federation/account.ts';
import {
  type Identity,
  type ToolAccess,
  UpstreamError,
  type UpstreamSession,
} from '../../../src/federation/connector.ts';
import type { OpenTools } from '../../../src/federation/registry.ts';
import { localSubject } from '../../../src/federation/subject.ts';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSealedStore } from '../../../src/storage/sealed.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import {
  type Connections,
  createConnections,
  type ShownConnection,
} from '../../../src/vault/connections/connections.ts';
import { createRecheck } from '../../../src/vault/recheck.ts';
import { createVault, type Vault } from '../../../src/vault/vault.ts';

const DAY = 86_400;
const LIFETIME = 90 * DAY;
const identity: Identity = { issuer: 'https://acme.example', subject: 'alice', username: 'alice-at-acme' };
const accountId = localSubject(identity);
const account: Account = { accountId, connector: 'acme', identity };
const holder = { connector: 'git', accountId };
const scopes = ['repo', 'read:org'];
const key = randomBytes(32);
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

let clock: FakeClock;
let plain: RecordStore;
let vault: Vault;
let connections: Connections;
let refreshed: UpstreamSession[];
let revoked: UpstreamSession[];
let failures: string[];
let outcomes: string[];
let refresh: ToolAccess['refresh'];
let isAccepted: NonNullable<ToolAccess['isAccepted']>;
let doubted: (string | undefined)[];

const now = () => Math.floor(clock.now() / 1000);

/** One auth-server on the store of the test. */
function replica(keys: readonly [Buffer, ...Buffer[]] = [key], more: Partial<OpenTools> = {}) {
  const store = createSealedStore(plain, keys);
  const access: ToolAccess = {
    begin: async () => new URL('https://git.example/authorize'),
    finish: async () => expect.fail('it is not finished here'),
    refresh: (last, ...others) => {
      refreshed.push(last.session);
      return refresh(last, ...others);
    },
    isAccepted: (session, ...others) => {
      doubted.push(session.accessToken);
      return isAccepted(session, ...others);
    },
    revoke: async (session) => void revoked.push(session),
  };
  const git: OpenTools = {
    id: 'git',
    title: 'Git',
    access,
    scopes,
    callbackUrl: 'https://auth.example/callback/git',
    ...more,
  };
  return createConnections({
    vault: createVault(store, { clock, lifetime: LIFETIME }),
    clock,
    accounts: createAccounts(store, LIFETIME),
    tools: [git, { ...git, id: 'acme', title: 'Acme' }],
    deadline: () => new AbortController().signal,
    onFailure: (_, __, error) => void failures.push(error.message),
    onOutcome: (connector, outcome) => void outcomes.push(`${connector} ${outcome}`),
  });
}

beforeEach(async () => {
  clock = new FakeClock();
  plain = createSqliteStore(':memory:', clock);
  const store = createSealedStore(plain, [key]);
  vault = createVault(store, { clock, lifetime: LIFETIME });
  await createAccounts(store, LIFETIME).save(account);
  [refreshed, revoked, failures, outcomes, doubted] = [[], [], [], [], []];
  isAccepted = async () => false;
  refresh = async (last) => ({
    ...last,
    session: { accessToken: 'access-2', refreshToken: 'refresh-2', expiresAt: now() + 3600 },
  });
  connections = replica();
});

const finished = (session: UpstreamSession = { accessToken: 'access-1' }) => ({ session, scopes, identity });
const expiring = (lifetime = 3600): UpstreamSession => ({
  accessToken: 'access-1',
  refreshToken: 'refresh-1',
  expiresAt: now() + lifetime,
});
const token = (rejected?: string, at = connections) => at.token(holder, { scopes: ['repo'], rejected });

describe('a connected account', () => {
  it('an account is shown with its name, its scopes and its time, and without tokens', async () => {
    expect(await connections.find(holder)).toBeUndefined();
    const shown = await connections.connect(holder, finished());
    const expected: ShownConnection = {
      connector: 'git',
      account: { subject: 'alice', name: 'alice-at-acme' },
      scopes,
      clients: [],
      connectedAt: now(),
      hasEnded: false,
    };
    expect(shown).toEqual(expected);
    expect(await connections.find(holder)).toEqual(shown);
    expect(await connections.list(accountId)).toEqual([shown]);
    expect(await connections.list('somebody else')).toEqual([]);
  });

  it('a tool gets a token that does not expire, without a request to the upstream', async () => {
    expect(await token()).toEqual({ needs: 'connection' });
    await connections.connect(holder, finished());
    expect(await token()).toEqual({ token: 'access-1', expiresAt: undefined, scopes });
    expect(refreshed).toEqual([]);
  });

  it('a tool that needs more scopes than the person has allowed gets no token', async () => {
    await connections.connect(holder, finished());
    expect(await connections.token(holder, { scopes: ['repo', 'admin:org'] })).toEqual({ needs: 'scopes' });
  });

  it('a second consent replaces tokens and scopes', async () => {
    await connections.connect(holder, finished());
    await connections.connect(holder, { session: { accessToken: 'wider' }, scopes: ['repo', 'gist'], identity });
    expect(await connections.token(holder, { scopes: ['gist'] })).toMatchObject({ token: 'wider' });
  });

  it('RFC 6749 §6 an access token at its end is renewed before it is given', async () => {
    await connections.connect(holder, finished(expiring()));
    expect(await token()).toMatchObject({ token: 'access-1' });
    clock.advance(3590);
    expect(await token()).toMatchObject({ token: 'access-2', expiresAt: now() + 3600 });
    expect(refreshed).toEqual([expect.objectContaining({ refreshToken: 'refresh-1' })]);
  });

  it('RFC 6749 §5.1 scopes that a renewal has lost count as lost', async () => {
    refresh = async ({ session }) => ({ session: { ...session, expiresAt: now() + 3600 }, scopes: ['read:org'] });
    await connections.connect(holder, finished(expiring(0)));
    expect(await token()).toEqual({ needs: 'scopes' });
  });
});

describe('RFC 6750 §3.1 a token that its API refuses', () => {
  it('a refused token that can be renewed is renewed at once, and one that is not current any more is not', async () => {
    await connections.connect(holder, finished(expiring()));
    expect(await token(sha256('access-1'))).toMatchObject({ token: 'access-2' });
    expect(await token(sha256('access-1'))).toMatchObject({ token: 'access-2' });
    expect(refreshed).toHaveLength(1);
  });

  it('a refused token that cannot be renewed ends the connection, whose tokens are deleted', async () => {
    await connections.connect(holder, finished());
    expect(await token(sha256('access-1'))).toEqual({ needs: 'consent' });
    expect(await connections.find(holder)).toMatchObject({ hasEnded: true, scopes });
    expect((await vault.find(holder))?.connection?.session).toBeUndefined();
    expect(await token()).toEqual({ needs: 'consent' });
  });

  it('an API that refuses new tokens too causes no renewal after each refusal, and the person is asked', async () => {
    await connections.connect(holder, finished(expiring()));
    await token(sha256('access-1'));
    for (let n = 0; n < 5; n += 1) {
      expect(await token(sha256('access-2'))).toEqual({ needs: 'consent' });
      clock.advance(2);
    }
    expect([refreshed.length, doubted]).toEqual([1, ['access-2']]);
    expect(await token(), 'nothing is deleted').toMatchObject({ token: 'access-2' });
  });

  it.each([
    ['cannot be renewed', () => ({ accessToken: 'access-1' }), 'access-1'],
    ['was just renewed', () => expiring(), 'access-2'],
  ])(
    'an API that refuses a good token for another reason disconnects nobody, whose token %s',
    async (_, session, last) => {
      isAccepted = async () => true;
      await connections.connect(holder, finished(session()));
      await token(sha256('access-1'));
      for (let n = 0; n < 5; n += 1) {
        expect(await token(sha256(last))).toMatchObject({ token: last });
        clock.advance(2);
      }
      expect(doubted).toEqual([last]);
      clock.advance(30);
      isAccepted = async () => false;
      refresh = async () => {
        throw new UpstreamError('ended', 'revoked');
      };
      expect(await token(sha256(last)), 'and the provider is asked again').toEqual({ needs: 'consent' });
      expect((await connections.find(holder))?.hasEnded).toBe(true);
    },
  );

  it.each([
    [
      'gives no answer',
      async () => Promise.reject(new UpstreamError('unavailable', 'no answer')),
      { token: 'access-1' },
    ],
    ['cannot tell', async () => undefined, { needs: 'consent' }],
  ])(
    'where the upstream %s, a refused token is not deleted, and it is not asked each time',
    async (_, answer, expected) => {
      isAccepted = answer;
      await connections.connect(holder, finished());
      for (let n = 0; n < 3; n += 1) expect(await token(sha256('access-1'))).toMatchObject(expected);
      expect(doubted).toHaveLength(1);
      expect(await token()).toMatchObject({ token: 'access-1' });
      expect((await connections.find(holder))?.hasEnded).toBe(false);
    },
  );

  it.each(['ended', 'denied'] as const)('an upstream that answers %s ends the connection', async (reason) => {
    refresh = async () => {
      throw new UpstreamError(reason, 'revoked');
    };
    await connections.connect(holder, finished(expiring(0)));
    expect(await token()).toEqual({ needs: 'consent' });
    expect((await vault.find(holder))?.connection?.session).toBeUndefined();
  });
});

describe('an upstream that is away', () => {
  const away = () => {
    refresh = async () => {
      throw new UpstreamError('unavailable', 'it is away');
    };
  };

  it('a token that has not expired is given, and the upstream is asked again after a pause', async () => {
    away();
    await connections.connect(holder, finished(expiring(60)));
    expect(await token()).toMatchObject({ token: 'access-1' });
    expect(await token()).toMatchObject({ token: 'access-1' });
    expect(refreshed).toHaveLength(1);
    clock.advance(5);
    await token();
    expect(refreshed).toHaveLength(2);
    expect(failures).toEqual(['it is away', 'it is away']);
    expect(outcomes).toEqual(['git unavailable', 'git unavailable']);
  });

  it('without a usable token the answer is that the upstream is unavailable, and the connection stays', async () => {
    away();
    await connections.connect(holder, finished(expiring(0)));
    await expect(token()).rejects.toMatchObject({ reason: 'unavailable' });
    await expect(token()).rejects.toMatchObject({ reason: 'unavailable' });
    expect(refreshed).toHaveLength(1);
    clock.advance(5);
    refresh = async () => ({ session: expiring(), scopes });
    expect(await token()).toMatchObject({ token: 'access-1' });
  });
});

describe('RFC 9700 §4.14.2 requests at the same time', () => {
  it('one of twenty requests on two replicas renews, and all get the new token', async () => {
    await connections.connect(holder, finished(expiring(0)));
    const other = replica();
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, n) => token(undefined, n % 2 ? other : connections)),
    );
    expect(refreshed).toHaveLength(1);
    expect(found).toEqual(Array.from({ length: 20 }, () => expect.objectContaining({ token: 'access-2' })));
  });

  it('a renewal does not replace what the person has connected meanwhile', async () => {
    refresh = async () => {
      await connections.connect(holder, finished({ accessToken: 'newer' }));
      return { session: { accessToken: 'late', refreshToken: 'late', expiresAt: now() + 3600 }, scopes };
    };
    await connections.connect(holder, finished(expiring(0)));
    expect(await token()).toMatchObject({ token: 'newer' });
    expect(revoked).toEqual([]);
  });

  it('a renewal does not bring back what the person has disconnected meanwhile, and its tokens are revoked', async () => {
    refresh = async () => {
      await connections.disconnect(holder);
      return { session: { accessToken: 'late', refreshToken: 'late', expiresAt: now() + 3600 }, scopes };
    };
    await connections.connect(holder, finished(expiring(0)));
    expect(await token()).toEqual({ needs: 'connection' });
    expect(revoked.map(({ accessToken }) => accessToken)).toEqual(['access-1', 'late']);
  });

  it('a replica that stopped while it renewed is replaced by another one after a minute', async () => {
    const started = Promise.withResolvers<void>();
    refresh = () => {
      started.resolve();
      return new Promise(() => {});
    };
    await connections.connect(holder, finished(expiring(60)));
    void token();
    await started.promise;
    expect(await token()).toMatchObject({ token: 'access-1' });
    clock.advance(60);
    refresh = async () => ({ session: { accessToken: 'access-2', expiresAt: now() + 3600 }, scopes });
    expect(await token(undefined, replica())).toMatchObject({ token: 'access-2' });
  });
});

describe('the end of a connection', () => {
  it('RFC 7009 §2.1 a person who disconnects an account deletes its tokens and ends them at the upstream', async () => {
    await connections.connect(holder, finished());
    expect(await connections.disconnect(holder)).toBe(true);
    expect(revoked).toEqual([{ accessToken: 'access-1' }]);
    expect(await connections.find(holder)).toBeUndefined();
    expect(await token()).toEqual({ needs: 'connection' });
    expect(await connections.disconnect(holder)).toBe(false);
  });

  it('tokens are deleted although the upstream cannot revoke them', async () => {
    const broken = replica([key], {
      access: {
        revoke: async () => {
          throw new UpstreamError('unavailable', 'it is away');
        },
      } as unknown as ToolAccess,
    });
    await broken.connect(holder, finished());
    expect(await broken.disconnect(holder)).toBe(true);
    expect([failures, await connections.find(holder)]).toEqual([['it is away'], undefined]);
  });

  it('a connection that nobody uses expires, and each use of a later day makes it last', async () => {
    await connections.connect(holder, finished());
    clock.advance(LIFETIME - 1);
    expect(await token()).toMatchObject({ token: 'access-1' });
    clock.advance(LIFETIME - 1);
    expect(await connections.find(holder)).toBeDefined();
    clock.advance(1);
    expect(await connections.find(holder)).toBeUndefined();
  });
});

describe('who may be connected', () => {
  const other: Identity = { issuer: identity.issuer, subject: 'mallory' };
  const own = { connector: 'acme', accountId };

  it('the upstream of the sign-in gives the account of the sign-in, and no other one', async () => {
    for (const found of [other, undefined]) {
      await expect(connections.connect(own, { ...finished(), identity: found })).rejects.toMatchObject({
        reason: 'denied',
      });
    }
    expect(await connections.find(own)).toBeUndefined();
    await connections.connect(own, finished());
    expect(await connections.find(own)).toMatchObject({ account: { subject: 'alice' } });
  });

  it('a person whom the identity provider has refused meanwhile connects nothing', async () => {
    await createAccounts(createSealedStore(plain, [key]), LIFETIME).save({ ...account, denied: 'disabled' });
    await expect(connections.connect(holder, finished())).rejects.toMatchObject({ reason: 'denied' });
  });

  it('another upstream gives any account that its settings accept', async () => {
    const acceptance = {
      env: 'HOSTED_DOMAIN',
      named: [],
      refusalOf: ({ subject }: Identity) => (subject === 'mallory' ? 'no' : undefined),
    };
    const strict = replica([key], { acceptance });
    await expect(strict.connect(holder, { ...finished(), identity: other })).rejects.toMatchObject({
      reason: 'denied',
    });
    expect(await strict.connect(holder, { ...finished(), identity: { ...other, subject: 'bob' } })).toBeDefined();
  });
});

describe('CWE-311 a connection in the store', () => {
  const stored = async (id: string) => (await plain.get('UpstreamSession', id))?.value;

  it('its tokens, scopes and account are not readable in the store', async () => {
    await connections.connect(holder, finished());
    const record = await stored(`git:${accountId}`);
    expect(record).toEqual({ connection: expect.stringMatching(/^sealed:/) });
  });

  it.each([
    ['another person', 'git', 'mallory'],
    ['another connector', 'acme', accountId],
  ])('a record that was moved to %s cannot be opened, so nobody gets its tokens', async (_, connector, person) => {
    await connections.connect(holder, finished());
    await plain.put('UpstreamSession', `${connector}:${person}`, (await stored(`git:${accountId}`)) ?? {}, { ttl: 60 });
    const thief = { connector, accountId: person };
    await expect(vault.find(thief)).rejects.toThrow(/cannot be decrypted/);
    expect(await connections.token(thief, { scopes: [] })).toEqual({ needs: 'connection' });
  });

  it('records of two people that were swapped give neither of them a token', async () => {
    const bob = { connector: 'git', accountId: 'bob' };
    await connections.connect(holder, finished());
    await connections.connect(bob, finished({ accessToken: 'of bob' }));
    const [one, two] = [await stored(`git:${accountId}`), await stored('git:bob')];
    await plain.put('UpstreamSession', `git:${accountId}`, two ?? {}, { ttl: 60 });
    await plain.put('UpstreamSession', 'git:bob', one ?? {}, { ttl: 60 });
    for (const person of [holder, bob])
      expect(await connections.token(person, { scopes: [] })).toEqual({ needs: 'connection' });
  });

  it('the session of a sign-in cannot be put in the place of a connection', async () => {
    await vault.begin(holder, () => ({ session: { accessToken: 'of the sign-in' }, askedAt: 1 }));
    const session = (await stored(`git:${accountId}`))?.session ?? null;
    await plain.put('UpstreamSession', `git:${accountId}`, { connection: session, askedAt: 1 }, { ttl: 60 });
    expect(await token()).toEqual({ needs: 'connection' });
  });

  it('an account that is connected anew replaces a record that cannot be opened', async () => {
    await replica([randomBytes(32)]).connect(holder, finished());
    expect(await connections.find(holder)).toBeUndefined();
    await connections.connect(holder, finished());
    expect(await token()).toMatchObject({ token: 'access-1' });
  });

  it('STORAGE_KEYS a use after a rotation encrypts a connection with the new key, also where its token never expires', async () => {
    const newer = randomBytes(32);
    await connections.connect(holder, finished());
    clock.advance(DAY);
    expect(await token(undefined, replica([newer, key]))).toMatchObject({ token: 'access-1' });
    expect(await token(undefined, replica([newer]))).toMatchObject({ token: 'access-1' });
  });
});

describe('the record that a connection shares with the sign-in', () => {
  const own = { connector: 'acme', accountId };
  const connector = { recheck: async () => expect.fail('it is not asked') } as never;
  const recheck = () =>
    createRecheck({
      vault,
      clock,
      accounts: createAccounts(createSealedStore(plain, [key]), LIFETIME),
      connectors: [{ id: 'acme', title: 'Acme', callbackUrl: '', connector }],
      times: { every: 600, grace: DAY },
      deadline: () => new AbortController().signal,
      onFailure: () => {},
    });

  it('a later sign-in keeps the connection, and a connection keeps the session of the sign-in', async () => {
    await recheck().remember(account, { refreshToken: 'of the sign-in' });
    await connections.connect(own, finished());
    await recheck().remember(account, { refreshToken: 'of a later sign-in' });
    expect(await vault.find(own)).toMatchObject({
      session: { refreshToken: 'of a later sign-in' },
      connection: { session: { accessToken: 'access-1' } },
    });
  });

  it('the end of the person deletes the session and the connection', async () => {
    await recheck().remember(account, { refreshToken: 'of the sign-in' });
    await connections.connect(own, finished());
    await recheck().forget(own);
    expect(await connections.find(own)).toBeUndefined();
    expect((await vault.find(own))?.session).toBeUndefined();
  });

  it('a record with a connection alone does not count as a sign-in: its person has to sign in again', async () => {
    const checkedAt = now();
    await connections.connect(own, finished());
    clock.advance(600);
    expect(await recheck().gate({ ...account, checkedAt }, 'token')).toMatchObject({
      refusal: { reason: expect.stringContaining('has ended') },
    });
  });
});
