/** Proves that a personal token ends when its person, its rights, its resource or its setting does, and that replicas share the work. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { alice, asked, both, DAY, MAIL, openTokens, type World } from '../support/personal-tokens.ts';

const FINAL = { reason: 'deactivated', description: 'deactivated', isFinal: true };
const TODAY = { reason: 'no rule allows this person', description: 'not allowed' };

describe('the check of personal tokens', () => {
  let clock: FakeClock;
  let store: RecordStore;
  let opened: Awaited<ReturnType<typeof openTokens>>;
  beforeEach(async () => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
    opened = await openTokens(store, clock);
    await opened.tokens().addForPerson(alice, asked({ scopes: ['notes:read', 'notes:write'] }));
    await opened.tokens().addForPerson(alice, asked({ resource: MAIL, scopes: ['mail:read'] }));
    await opened.tokens().addForService('job', asked());
    opened.questions.length = 0;
  });

  const next = async (seconds = 150) => {
    clock.advance(seconds);
    await opened.check();
  };
  const left = async () =>
    (await opened.tokens().all()).flatMap(({ tokens }) => tokens.map(({ scopes }) => scopes.join()));
  const reasons = () => opened.lines.filter(({ msg }) => msg === 'personal token ended').map(({ reason }) => reason);
  const ALL = ['notes:read,notes:write', 'mail:read', 'notes:read'];

  it('a token of a person who may come in goes on, and each gate hears when the token was made', async () => {
    const made = Math.floor(clock.now() / 1000);
    await next();
    expect((await left()).toSorted()).toEqual(ALL.toSorted());
    expect(opened.questions).toEqual([made, made]);
    expect(opened.marked).toEqual([]);
  });

  it('one of all replicas checks a person, once in each interval', async () => {
    clock.advance(150);
    await Promise.all([opened.check(), opened.check(), opened.check()]);
    expect(opened.questions).toHaveLength(2);
    await opened.check();
    expect(opened.questions).toHaveLength(2);
    await next();
    expect(opened.questions).toHaveLength(4);
  });

  it('a final refusal ends all tokens of the person at once, and none of a service', async () => {
    opened.world.refusal = FINAL;
    await next();
    expect(await left()).toEqual(['notes:read']);
    expect(opened.marked.map(({ idx }) => idx)).toEqual([1, 2]);
    expect(reasons()).toEqual(['deactivated', 'deactivated']);
    expect(opened.entries).toMatchObject([
      { event: 'personal-token.ended', who: alice, reason: 'deactivated', details: { name: 'laptop' } },
      { event: 'personal-token.ended', who: alice, reason: 'deactivated' },
    ]);
  });

  it('a refusal that is not final ends them after UPSTREAM_RECHECK, and not if it was a mistake', async () => {
    opened.world.refusal = TODAY;
    await next();
    opened.world.refusal = undefined;
    await next(600);
    opened.world.refusal = TODAY;
    await next();
    await next(599);
    expect(opened.marked).toEqual([]);
    await next(1);
    expect(opened.marked).toEqual([]);
    await next(150);
    expect(await left()).toEqual(['notes:read']);
  });

  it('a scope that its person has lost ends a token, and not the others', async () => {
    opened.world.permitted = ['notes:read', 'mail:read'];
    await next();
    await next(600);
    expect((await left()).toSorted()).toEqual(['mail:read', 'notes:read']);
    expect(reasons()).toEqual(['the person may not have notes:write any more']);
  });

  it('a group that its person has lost ends a token that states it', async () => {
    const { account, accounts } = opened;
    await accounts.save({ ...account, identity: { ...account.identity, memberships: { group: [] } } });
    await next();
    await next(600);
    expect(await left()).toEqual(['notes:read']);
    expect(reasons()[0]).toBe('the person has lost a group, role or organisation that the token states');
  });

  it('a group list that is not complete ends no token, and neither do further groups', async () => {
    const { account, accounts } = opened;
    const { identity } = account;
    await accounts.save({
      ...account,
      identity: { ...identity, memberships: { group: [] }, incomplete: { group: 'cut' } },
    });
    await next();
    await next(600);
    await accounts.save({ ...account, identity: { ...identity, memberships: { group: ['dev', 'ops'] } } });
    await next();
    await next(600);
    expect(opened.marked).toEqual([]);
  });

  it('a person of whom nothing is known any more has no tokens', async () => {
    await store.delete('Account', alice);
    await next();
    expect(await left()).toEqual(['notes:read']);
  });

  it.each<[string, Partial<World>, readonly string[]]>([
    ['PERSONAL_TOKENS=services', { limits: { offered: 'services', lifetime: 90 * DAY } }, ['notes:read']],
    ['PERSONAL_TOKENS=off', { limits: { offered: 'off', lifetime: 90 * DAY } }, []],
    [
      'PERSONAL_TOKEN_SCOPES',
      { limits: { offered: 'on', lifetime: 90 * DAY, scopes: new Set(['mail:read']) } },
      ['mail:read', 'notes:read'],
    ],
    ['PERSONAL_TOKEN_LIFETIME', { limits: { offered: 'on', lifetime: 100 } }, []],
    ['a resource that was removed', { resources: [both[1]] }, ['mail:read']],
  ])('a change of %s ends the tokens that it no longer allows, at once', async (_setting, change, stay) => {
    Object.assign(opened.world, change);
    await next();
    expect((await left()).toSorted()).toEqual(stay);
    expect(opened.marked).toHaveLength(3 - stay.length);
  });

  it('an ending of the person ends the tokens made before, and one of everything those of services too', async () => {
    const now = () => Math.floor(clock.now() / 1000);
    clock.advance(10);
    await opened.endedBefore.set({ kind: 'person', accountId: alice }, now());
    await opened.tokens().addForPerson(alice, asked({ scopes: ['notes:write'] }));
    await next();
    expect((await left()).toSorted()).toEqual(['notes:read', 'notes:write']);
    await opened.endedBefore.set({ kind: 'everything' }, now());
    await next();
    expect(await left()).toEqual([]);
  });

  it('a check that fails ends no token, and the next one decides', async () => {
    const broken = store.get;
    opened.world.refusal = FINAL;
    Object.assign(store, {
      get: (kind: string, id: string) => (kind === 'Account' ? Promise.reject(new Error('away')) : broken(kind, id)),
    });
    await next();
    expect(opened.marked).toEqual([]);
    expect(opened.lines.map(({ msg }) => msg)).toContain('personal tokens could not be checked');
    Object.assign(store, { get: broken });
    await next();
    expect(opened.marked).toHaveLength(2);
  });
});
