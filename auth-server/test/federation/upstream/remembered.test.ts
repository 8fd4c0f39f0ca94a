/**
 * Proves that a document of an upstream is used while it is fresh, then fetched again, and still used while that fails.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { remembered } from '../../../src/federation/upstream/remembered.ts';

const DAY = 86_400;

function setUp() {
  const clock = new FakeClock();
  const troubles: unknown[] = [];
  const upstream = { asked: 0, freshFor: 60, isDown: false, answer: undefined as Promise<void> | undefined };
  const load = async () => {
    upstream.asked += 1;
    const value = upstream.asked;
    await upstream.answer;
    if (upstream.isDown) throw new Error('down');
    return { value, freshFor: upstream.freshFor };
  };
  const kept = remembered(load, { clock, onTrouble: (error) => troubles.push(error) });
  return { clock, troubles, upstream, kept };
}

describe('RFC 9111 §4.2 the cache of upstream documents', () => {
  it('a fresh document is fetched once, also by concurrent callers', async () => {
    const { clock, upstream, kept } = setUp();
    expect(await Promise.all([kept.get(), kept.get(), kept.get()])).toEqual([1, 1, 1]);
    clock.advance(59);
    expect([await kept.get(), upstream.asked]).toEqual([1, 1]);
  });

  it('a stale document is fetched again', async () => {
    const { clock, kept } = setUp();
    await kept.get();
    clock.advance(60);
    expect(await kept.get()).toBe(2);
  });

  it('a document is fetched again at once when a caller doubts it', async () => {
    const { kept } = setUp();
    await kept.get();
    expect(await kept.renew()).toBe(2);
    expect(await kept.get()).toBe(2);
  });

  it('the old document is used while a renewal fails, and the renewal is retried after 30 s', async () => {
    const { clock, troubles, upstream, kept } = setUp();
    await kept.get();
    upstream.isDown = true;
    clock.advance(60);
    expect([await kept.get(), await kept.get(), await kept.renew()]).toEqual([1, 1, 1]);
    expect([upstream.asked, troubles.length]).toEqual([3, 2]);
    upstream.isDown = false;
    clock.advance(30);
    expect(await kept.get()).toBe(4);
  });

  it('the old document is used while a renewal runs, and the new one afterwards', async () => {
    const { clock, upstream, kept } = setUp();
    await kept.get();
    clock.advance(60);
    const slow = Promise.withResolvers<void>();
    upstream.answer = slow.promise;
    expect(await kept.get()).toBe(1);
    slow.resolve();
    expect(await kept.renew()).toBe(2);
  });

  it('the old document expires a day after its freshness ended', async () => {
    const { clock, upstream, kept } = setUp();
    await kept.get();
    upstream.isDown = true;
    clock.advance(60 + DAY - 1);
    expect(await kept.get()).toBe(1);
    clock.advance(31);
    await expect(kept.get()).rejects.toThrow('down');
    await expect(kept.renew()).rejects.toThrow('down');
    upstream.isDown = false;
    expect(await kept.get()).toBe(upstream.asked);
  });

  it('a document that was never fetched is tried at every call', async () => {
    const { upstream, kept } = setUp();
    upstream.isDown = true;
    await expect(kept.get()).rejects.toThrow('down');
    upstream.isDown = false;
    expect(await kept.get()).toBe(2);
  });
});
