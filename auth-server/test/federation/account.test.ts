/** Proves that an account stands for one person: a stored account with an ambiguous subject is not used. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createAccounts } from '../../src/federation/account.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

describe('OpenID Connect Core §5.7 a stored account', () => {
  const accounts = createAccounts(createSqliteStore(':memory:', new FakeClock()), 60);
  const save = (subject: unknown) =>
    accounts.save({
      accountId: 'a',
      connector: 'acme',
      identity: { issuer: 'https://id.example', subject: String(subject) },
    });

  it('an account is found with its identity', async () => {
    await save('alice');
    expect((await accounts.find('a'))?.identity.subject).toBe('alice');
    expect(await accounts.find('b')).toBeUndefined();
  });

  it.each(['', ' ', '\u200b'])('an account with the ambiguous subject %j is not found', async (subject) => {
    await save(subject);
    expect(await accounts.find('a')).toBeUndefined();
  });

  it('an account that was saved since it was read is not replaced', async () => {
    const accounts = createAccounts(createSqliteStore(':memory:', new FakeClock()), 60);
    const account = { accountId: 'alice', connector: 'acme', identity: { issuer: 'https://acme.example', subject: 'alice' } };
    await accounts.save(account);
    const read = await accounts.find('alice');
    expect(read && (await accounts.replace(read, { ...read, checkedAt: 1 }))).toBe(true);
    expect(read && (await accounts.replace(read, { ...read, denied: 'too late' }))).toBe(false);
    expect(await accounts.find('alice')).toEqual({ ...account, checkedAt: 1 });
  }); // biome-ignore format: one row
});
