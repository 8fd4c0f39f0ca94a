/** Proves how long verified tokens are cached, which tokens never are, and what removes them. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it, vi } from 'vitest';
import type { Principal } from '../../src/authorization/principal.ts';
import { createTokenCache } from '../../src/authorization/token-cache.ts';
import { TokenError } from '../../src/authorization/token-error.ts';

function setUp({ lifetime = 600, capacity = 3, capacityBytes = 1_000_000, scopes = [] as string[], claims = {} } = {}) {
  const clock = new FakeClock();
  const keys = { number: 0, revision: () => keys.number };
  const principal = (subject: string): Principal => ({
    issuer: 'https://a.example',
    subject,
    clientId: 'client',
    scopes: new Set(scopes),
    expiresAt: clock.now() / 1000 + lifetime,
    claims,
  });
  const verify = vi.fn(async (token: string) => {
    if (token === 'bad') throw new TokenError('expired');
    return principal(token);
  });
  return { clock, keys, verify, check: createTokenCache({ verify, keys, clock, capacity, capacityBytes }) };
}

describe('the token cache', () => {
  it('a token is verified once, also for concurrent requests', async () => {
    const { verify, check } = setUp();
    await Promise.all([check('a'), check('a'), check('a')]);
    expect((await check('a')).subject).toBe('a');
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('different tokens have different principals', async () => {
    const { check } = setUp();
    expect([(await check('a')).subject, (await check('b')).subject]).toEqual(['a', 'b']);
  });

  it('a cached result expires after a minute', async () => {
    const { clock, verify, check } = setUp();
    await check('a');
    clock.advance(59);
    await check('a');
    expect(verify).toHaveBeenCalledTimes(1);
    clock.advance(1);
    await check('a');
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it('a cached result expires with its token', async () => {
    const { clock, verify, check } = setUp({ lifetime: 10 });
    await check('a');
    clock.advance(10);
    await check('a');
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it('a failed verification is never cached', async () => {
    const { verify, check } = setUp();
    await expect(check('bad')).rejects.toThrow('expired');
    await expect(check('bad')).rejects.toThrow('expired');
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it('the cache is cleared when a key is withdrawn, also while a verification runs', async () => {
    const { keys, verify, check } = setUp();
    await check('a');
    keys.number += 1;
    await check('a');
    expect(verify).toHaveBeenCalledTimes(2);

    const running = check('b');
    keys.number += 1;
    await running;
    await check('b');
    expect(verify).toHaveBeenCalledTimes(4);
  });

  it('the cache holds at most its capacity, and evicts the least recently used', async () => {
    const { verify, check } = setUp({ capacity: 2 });
    for (const token of ['a', 'b', 'a', 'c', 'a', 'b']) await check(token);
    expect(verify.mock.calls.map(([token]) => token)).toEqual(['a', 'b', 'c', 'b']);
  });

  it('the cache holds at most its bytes, however many scopes the tokens have', async () => {
    const scopes = Array.from({ length: 100 }, (_, index) => `scope-${index}`.padEnd(168, 'x'));
    // 100 scopes of 168 characters take about 40,000 bytes.
    const { verify, check } = setUp({ capacity: 100, capacityBytes: 90_000, scopes });
    for (const token of ['a', 'b', 'b', 'c', 'b', 'a']) await check(token);
    expect(verify.mock.calls.map(([token]) => token)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('the cache holds at most its bytes, however many groups the tokens name', async () => {
    const groups = Array.from({ length: 100 }, (_, index) => `group-${index}`.padEnd(184, 'x'));
    // 100 groups of 184 characters take about 40,000 bytes.
    const { verify, check } = setUp({ capacity: 100, capacityBytes: 90_000, claims: { name: 'Ada', groups } });
    for (const token of ['a', 'b', 'b', 'c', 'b', 'a']) await check(token);
    expect(verify.mock.calls.map(([token]) => token)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('a result larger than the whole cache is not cached, and the cache still works', async () => {
    const { verify, check } = setUp({ capacityBytes: 100 });
    for (const token of ['a', 'a', 'b']) expect((await check(token)).subject).toBe(token);
    expect(verify).toHaveBeenCalledTimes(3);
  });
});
