/**
 * Proves that an initial access token is stored as a digest, expires, and is accepted as often as configured (RFC 7591
 * §3).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createInitialAccessTokens, type InitialAccessTokens } from '../../src/registration/initial-access-tokens.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

describe('RFC 7591 §3 an initial access token', () => {
  let clock: FakeClock;
  let store: RecordStore;
  let tokens: InitialAccessTokens;
  beforeEach(() => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
    tokens = createInitialAccessTokens(store, clock);
  });

  const add = (change: { lifetime?: number; uses?: number; purpose?: string } = {}) =>
    tokens.add({ purpose: 'a test', lifetime: 60, ...change });

  it('the store holds neither the token nor a value that finds it', async () => {
    const { token, id } = await add();
    const kept = JSON.stringify(await store.get('InitialAccessToken', 'all'));
    expect(kept).toContain(id);
    expect(kept).not.toContain(token);
    expect(await tokens.find(id)).toBeUndefined();
    expect(await tokens.list()).toEqual([
      { id, purpose: 'a test', createdAt: clock.now() / 1000, expiresAt: clock.now() / 1000 + 60 },
    ]);
  });

  it('a token expires by itself, and the record with the last token', async () => {
    const [short, long] = [await add({ lifetime: 60 }), await add({ lifetime: 120 })];
    clock.advance(60);
    expect([await tokens.find(short.token), (await tokens.find(long.token))?.id]).toEqual([undefined, long.id]);
    expect(await tokens.spend(short.id)).toBe(false);
    clock.advance(60);
    expect(await store.get('InitialAccessToken', 'all')).toBeUndefined();
    expect(await tokens.list()).toEqual([]);
  });

  it('a removed token is invalid, and the others stay valid', async () => {
    const [one, other] = [await add(), await add()];
    expect([await tokens.remove(one.id), await tokens.remove(one.id)]).toEqual([true, false]);
    expect([await tokens.find(one.token), (await tokens.find(other.token))?.id]).toEqual([undefined, other.id]);
    expect([await tokens.spend(one.id), await tokens.spend(other.id)]).toEqual([false, true]);
  });

  it('a token is spent exactly as often as it allows, however many callers compete', async () => {
    const { id, token } = await add({ uses: 5 });
    const spent = await Promise.all(Array.from({ length: 20 }, () => tokens.spend(id)));
    expect(spent.filter(Boolean)).toHaveLength(5);
    expect(await tokens.find(token)).toBeUndefined();
  });

  it('a token without a number of uses can be used any number of times', async () => {
    const { id } = await add();
    for (let use = 0; use < 50; use += 1) expect(await tokens.spend(id)).toBe(true);
  });

  it('tokens created concurrently are all kept, up to a maximum number', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => add({ purpose: String(n) })));
    expect(new Set(made.map(({ token }) => token)).size).toBe(20);
    expect((await tokens.list()).map(({ purpose }) => Number(purpose)).sort((a, b) => a - b)).toEqual([
      ...Array(20).keys(),
    ]);
    const full = (await tokens.list()).map((token) => ({ ...token, digest: 'x' }));
    const before = (await store.get('InitialAccessToken', 'all'))?.value ?? {};
    const after = { tokens: Array.from({ length: 1_000 }, () => full[0]) };
    await store.replace('InitialAccessToken', 'all', { before, after, ttl: 60 });
    await expect(add()).rejects.toThrow('maximum of 1000 initial access tokens');
  });
});
