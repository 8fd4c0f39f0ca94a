/** Proves that a login state is used once, expires, and cannot be read from the store. */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createLogins, LOGIN_LIFETIME } from '../../src/federation/login.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const setUp = () => {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  return { clock, store, logins: createLogins(store, randomBytes) };
};
const login = { uid: 'interaction', connector: 'acme', approval: 'digest' };

describe('a login state', () => {
  it('RFC 7636 §4.1 a login gets new random checks of 43 characters', () => {
    const { logins } = setUp();
    const made = [logins.createChecks(), logins.createChecks()].flatMap((checks) => Object.values(checks));
    expect(new Set(made).size).toBe(6);
    for (const value of made) expect(value).toMatch(/^[\w-]{43}$/);
  });

  it('RFC 6749 §10.12 a login state is taken by exactly one of many concurrent callers', async () => {
    const { logins } = setUp();
    const checks = logins.createChecks();
    await logins.start(checks, login);
    const { nonce, codeVerifier } = checks;
    expect(await logins.find(checks.state)).toEqual({ ...login, nonce, codeVerifier });
    const taken = await Promise.all(Array.from({ length: 20 }, () => logins.take(checks.state)));
    expect(taken.filter(Boolean)).toEqual([{ ...login, nonce, codeVerifier }]);
    expect(await logins.find(checks.state)).toBeUndefined();
  });

  it('a login state expires after ten minutes', async () => {
    const { logins, clock } = setUp();
    const checks = logins.createChecks();
    await logins.start(checks, login);
    clock.advance(LOGIN_LIFETIME + 1);
    expect(await logins.take(checks.state)).toBeUndefined();
  });

  it('a login state is stored under a hash: the state itself is not in the store', async () => {
    const { logins, store } = setUp();
    const checks = logins.createChecks();
    await logins.start(checks, login);
    expect(await store.get('LoginState', checks.state)).toBeUndefined();
    expect(JSON.stringify(await logins.find(checks.state))).not.toContain(checks.state);
  });
});

describe('a login outcome', () => {
  it('a login outcome is collected once', async () => {
    const { logins } = setUp();
    await logins.saveOutcome('interaction', { accountId: 'alice', since: 1, approval: 'digest' });
    expect(await logins.takeOutcome('interaction')).toEqual({ accountId: 'alice', since: 1, approval: 'digest' });
    expect(await logins.takeOutcome('interaction')).toBeUndefined();
  });
});
