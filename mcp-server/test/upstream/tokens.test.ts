/** Proves that tokens of upstreams are exchanged once, kept shortly, and for nobody but their caller. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/authorization/introspection/queue.ts';
import type { Exchanged } from '../../src/upstream/exchange.ts';
import type { ConfiguredUpstream } from '../../src/upstream/settings.ts';
import { createTokens } from '../../src/upstream/tokens.ts';
import { ExchangeUnavailable, InteractionRequired, type UpstreamToken } from '../../src/upstream/upstream-token.ts';

const upstream = (id: string): ConfiguredUpstream => ({
  ...{ id, base: `https://${id}.example`, origins: new Set([`https://${id}.example`]) },
  target: { audience: id },
  scopes: undefined,
});

interface SetUp {
  readonly lasts?: number;
  readonly capacity?: number;
  readonly running?: number;
}

function setUp({ lasts, capacity = 100, running = 10 }: SetUp = {}) {
  const clock = new FakeClock();
  const asked: Exchanged[] = [];
  const state: { fails: boolean; failure?: Error } = { fails: false };
  const tokens = createTokens({
    clock,
    capacity,
    queue: new Queue(running, 1),
    exchange: async (one): Promise<UpstreamToken> => {
      asked.push(one);
      const number = asked.length;
      await Promise.resolve();
      if (state.fails) throw new ExchangeUnavailable('it answered 503');
      if (state.failure) throw state.failure;
      const expiresAt = lasts === undefined ? undefined : clock.now() + lasts * 1000;
      return { token: `token-${number}`, type: 'Bearer', scopes: undefined, expiresAt };
    },
  });
  const ends = clock.now() / 1000 + 3600;
  const get = async (token: string, more: Partial<Exchanged> & { id?: string; expiresAt?: number } = {}) => {
    const { id = 'github', expiresAt = ends, ...others } = more;
    const principal = { issuer: 'https://as.example', expiresAt };
    const wish = { kind: 'page' } as const;
    const one = { upstream: upstream(id), caller: { token, principal }, wish, ...others };
    return (await tokens(one)).token;
  };
  return { clock, asked, state, get };
}

describe('tokens of upstreams in use', () => {
  it('callers who ask for the same at the same time cause one exchange', async () => {
    const { get, asked } = setUp();
    expect(await Promise.all([get('ada'), get('ada'), get('ada')])).toEqual(['token-1', 'token-1', 'token-1']);
    expect(asked).toHaveLength(1);
  });

  it('each token of a caller, and each upstream, has a token of its own', async () => {
    const { get } = setUp();
    expect(await Promise.all([get('ada'), get('bob'), get('ada', { id: 'crm' })])).toEqual([
      'token-1',
      'token-2',
      'token-3',
    ]);
    expect(await get('bob')).toBe('token-2');
  });

  it('a token is used for a minute at most', async () => {
    const { get, clock } = setUp({ lasts: 3600 });
    await get('ada');
    clock.advance(59);
    expect(await get('ada')).toBe('token-1');
    clock.advance(1);
    expect(await get('ada')).toBe('token-2');
  });

  it('a token is not handed out shortly before its end, nor after the end of the token of the caller', async () => {
    const short = setUp({ lasts: 20 });
    await short.get('ada');
    short.clock.advance(14);
    expect(await short.get('ada')).toBe('token-1');
    short.clock.advance(1);
    expect(await short.get('ada')).toBe('token-2');
    const { get, clock } = setUp();
    const expiresAt = clock.now() / 1000 + 10;
    await get('ada', { expiresAt });
    clock.advance(10);
    expect(await get('ada', { expiresAt })).toBe('token-2');
  });

  it('a token that the upstream has refused is replaced once for all who report it', async () => {
    const { get, asked } = setUp();
    const rejected = await get('ada');
    expect(await Promise.all([get('ada', { rejected }), get('ada', { rejected })])).toEqual(['token-2', 'token-2']);
    expect(await get('ada', { rejected })).toBe('token-2');
    expect(asked.map((one) => one.rejected)).toEqual([undefined, 'token-1']);
  });

  it('more exchanges than may run and wait fail at once, as if the issuer were away', async () => {
    const { get, asked } = setUp({ running: 1 });
    const [ada, bob, carol] = await Promise.allSettled([get('ada'), get('bob'), get('carol')]);
    expect([ada.status, bob.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(carol).toMatchObject({ reason: expect.any(ExchangeUnavailable) });
    expect(asked).toHaveLength(2);
  });

  it('one of those who ask for a page at the same time shows it, and the others know that', async () => {
    const { get, state } = setUp();
    state.failure = new InteractionRequired('https://as.example/connect/x', 600, 'upstream:github');
    const all = await Promise.allSettled([get('ada'), get('ada'), get('ada')]);
    expect(all).toMatchObject(
      [false, true, true].map((isShown) => ({ reason: { uri: 'https://as.example/connect/x', isShown } })),
    );
  });

  it('a failure is not kept', async () => {
    const { get, state } = setUp();
    state.fails = true;
    await expect(get('ada')).rejects.toThrow('503');
    state.fails = false;
    expect(await get('ada')).toBe('token-2');
  });

  it('more tokens than the capacity remove the oldest', async () => {
    const { get } = setUp({ capacity: 2 });
    for (const who of ['ada', 'bob', 'carol']) await get(who);
    expect(await get('carol')).toBe('token-3');
    expect(await get('bob')).toBe('token-2');
    expect(await get('ada')).toBe('token-4');
  });
});
