/** Proves that the wait for a person who connects an account is bounded, and ends with the call. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { Call, ClientRequest } from '../../src/protocol/call.ts';
import { connectOnce, keyOf, wishOf } from '../../src/protocol/methods/upstreams/connecting.ts';
import type { Wish } from '../../src/upstream/exchange.ts';
import { ExchangeRefused, InteractionRequired, type UpstreamToken } from '../../src/upstream/upstream-token.ts';
import { testCall } from '../support/methods-harness.ts';

const TOKEN: UpstreamToken = { token: 'gho_x', type: 'Bearer', scopes: undefined, expiresAt: undefined };
const PAGE = 'https://auth.example.com/connect/x';

interface SetUp {
  /** Milliseconds until the person has connected the account. */
  readonly after: number;
  readonly call: Call;
  readonly lasts?: number;
  /** Milliseconds for which another call shows the page; absent: this one shows it. */
  readonly shownFor?: number;
  /** The answer of the issuer to a call that waits. */
  readonly refused?: string;
  /** Milliseconds after which the server is told to stop. */
  readonly stopsAfter?: number;
}

function setUp({ after, call, lasts = 600, shownFor = 0, refused, stopsAfter = Number.POSITIVE_INFINITY }: SetUp) {
  const clock = new FakeClock();
  const began = clock.now();
  const wishes: Wish[] = [];
  const required = () => new InteractionRequired(PAGE, lasts, 'upstream:github', clock.now() - began < shownFor);
  const connecting = connectOnce(
    required(),
    {
      ...{ call, name: 'github', key: 'connect-github', scope: 'upstream:github' },
      exchange: async (wish) => {
        wishes.push(wish);
        if (refused || wish.kind === 'declined') throw new ExchangeRefused(refused ?? 'access_denied');
        if (clock.now() - began >= after) return TOKEN;
        throw wish.kind === 'page' ? required() : new InteractionRequired(undefined, lasts);
      },
    },
    {
      clock,
      isStopping: () => clock.now() - began >= stopsAfter,
      pause: async (ms, signal) => {
        await new Promise(setImmediate);
        signal.throwIfAborted();
        clock.advance(ms / 1000);
      },
    },
  );
  return { connecting, waited: () => clock.now() - began, wishes };
}

const accepting = (more: Partial<Call> = {}) =>
  testCall({ capabilities: { elicitation: { url: {} } }, ...more }, [{ action: 'accept' }]);

describe('waiting for a person', () => {
  it('the call goes on when the account is connected', async () => {
    const call = accepting();
    const { connecting, wishes } = setUp({ after: 30_000, call });
    expect(await connecting).toBe(TOKEN);
    expect(wishes).toEqual(Array(16).fill({ kind: 'none', page: PAGE }));
    expect(call.said.map(({ method }) => method)).toEqual(['notifications/elicitation/complete']);
  });

  it('the wait ends when the page has expired', async () => {
    const { connecting, waited } = setUp({ after: Number.POSITIVE_INFINITY, call: accepting() });
    await expect(connecting).rejects.toThrow('github was not connected in time. Call again to get a new page.');
    expect(waited()).toBe(600_000);
  });

  it('the wait ends with the call', async () => {
    const controller = new AbortController();
    const call = accepting({ signal: controller.signal });
    controller.abort(new Error('the client has left'));
    await expect(setUp({ after: 10_000, call }).connecting).rejects.toThrow('the client has left');
  });

  it.each([0, Number.POSITIVE_INFINITY])(
    'the wait of a tool that has returned ends, and its question is withdrawn (another call shows the page for %s ms)',
    async (shownFor) => {
      const ending = new AbortController();
      const call = accepting({ ended: ending.signal });
      const { connecting, wishes } = setUp({ after: Number.POSITIVE_INFINITY, call, shownFor });
      const failed = expect(connecting).rejects.toThrow('This operation was aborted');
      while (wishes.length < 3) await new Promise(setImmediate);
      ending.abort();
      await failed;
      expect(wishes.length).toBeLessThanOrEqual(4);
      for (const { signal } of call.asked) expect(signal?.aborted).toBe(true);
    },
  );

  it('the wait ends with the access token of the call, which nothing can be exchanged for any more', async () => {
    const call = accepting();
    const ends = call.principal.expiresAt * 1000 - new FakeClock().now();
    const { connecting, waited } = setUp({ after: Number.POSITIVE_INFINITY, call, lasts: 2 * ends });
    await expect(connecting).rejects.toThrow('github was not connected in time. Call again to get a new page.');
    expect(waited()).toBe(ends);
  });

  /** A call of 2026-07-28 in a round with these notes. */
  const inRound = (known: Record<string, unknown>, more: Partial<Call> = {}) => {
    const noted: Record<string, unknown> = {};
    const rounds = {
      known: (name: string) => known[name],
      note: (name: string, value: unknown) => {
        noted[name] = value;
      },
      again: async (): Promise<never> => {
        throw new Error('the round has ended');
      },
    };
    return { call: accepting({ rounds, ...more }), noted };
  };

  it('MCP 2026-07-28 basic/patterns/mrtr: a round ends before the client gives up, and the next one knows until when', async () => {
    const { call, noted } = inRound({});
    const { connecting, waited } = setUp({ after: 60_000, call });
    await expect(connecting).rejects.toThrow('the round has ended');
    expect(waited()).toBe(40_000);
    // The clients of the SDKs end a request after ten rounds, and one of them has asked.
    const until = new FakeClock().now() + 8 * 40_000;
    expect(noted).toEqual({
      'connect-github.last': 'connect-github',
      'connect-github.page': PAGE,
      'connect-github.until': until,
    });
    expect(call.asked[0]?.params).toEqual({ mode: 'url', url: PAGE, message: expect.any(String) });
    expect(call.said).toEqual([]);
  });

  it('a round ends when the server is told to stop, and the call goes on at another replica; a session waits on', async () => {
    const { call } = inRound({});
    const { connecting, waited } = setUp({ after: 60_000, call, stopsAfter: 5_000 });
    await expect(connecting).rejects.toThrow('the round has ended');
    expect(waited()).toBe(6_000);
    expect(await setUp({ after: 8_000, call: accepting(), stopsAfter: 5_000 }).connecting).toBe(TOKEN);
  });

  it.each([
    ['that is over', -1, 0],
    ['that a client has written itself, far in the future', 1e15, 40_000],
  ])('a note of an earlier round %s makes no wait longer', async (_, note, expected) => {
    const until = new FakeClock().now() + note;
    const { call } = inRound({ 'connect-github': { action: 'accept' }, 'connect-github.until': until });
    const { connecting, waited } = setUp({ after: Number.POSITIVE_INFINITY, call });
    await expect(connecting).rejects.toThrow();
    expect(waited()).toBe(expected);
  });

  it('a round ends with its access token, as the client may send the next one with a newer token', async () => {
    const expiresAt = new FakeClock().now() / 1000 + 10;
    const { call } = inRound({}, { principal: { ...accepting().principal, expiresAt } });
    const { connecting, waited } = setUp({ after: Number.POSITIVE_INFINITY, call });
    await expect(connecting).rejects.toThrow('the round has ended');
    expect(waited()).toBe(10_000);
  });

  it('a run that comes again goes on with the page that was shown last, and with no name that a client made up', () => {
    const nameOf = (known: Record<string, unknown>) => keyOf(inRound(known).call, 'github', undefined);
    const shown = keyOf(inRound({}).call, 'github', 'gho_refused');
    const last = 'connect-github.last';
    expect(nameOf({ [last]: shown, [shown]: { action: 'accept' } })).toBe(shown);
    for (const known of [{}, { [last]: shown }, { [last]: 'other', other: 1 }, { [last]: 7 }]) {
      expect(nameOf(known)).toBe('connect-github');
    }
  });

  it('while another call shows the page this one waits without a question, and shows it once that one has gone', async () => {
    const waits = accepting();
    const patient = setUp({ after: 30_000, call: waits, shownFor: Number.POSITIVE_INFINITY });
    expect(await patient.connecting).toBe(TOKEN);
    expect([waits.asked, waits.said]).toEqual([[], []]);
    expect(new Set(patient.wishes.map(({ kind }) => kind))).toEqual(new Set(['page']));
    const next = accepting();
    expect(await setUp({ after: 30_000, call: next, shownFor: 10_000 }).connecting).toBe(TOKEN);
    expect(next.asked.map(({ params }) => params.url)).toEqual([PAGE]);
  });

  it('MCP 2026-07-28 basic/patterns/mrtr: a call for which another one shows the page comes again in rounds', async () => {
    const { call, noted } = inRound({});
    const { connecting, waited } = setUp({ after: 60_000, call, shownFor: Number.POSITIVE_INFINITY });
    await expect(connecting).rejects.toThrow('the round has ended');
    expect(waited()).toBe(40_000);
    expect(call.asked).toEqual([]);
    expect(noted).toEqual({ 'connect-github.page': PAGE, 'connect-github.until': expect.any(Number) });
    expect(wishOf(inRound(noted).call, 'connect-github')).toEqual({ kind: 'page', page: PAGE });
  });

  it.each([
    ['access_denied', 'The user declined to connect github.'],
    ['expired_token', 'github was not connected: the page is used up. Call again to get a new page.'],
  ])(
    'RFC 8628 §3.5 %s ends the wait at once, for the call that shows the page and for one that does not',
    async (refused, text) => {
      for (const shownFor of [0, 60_000]) {
        const { connecting, waited } = setUp({ after: 60_000, call: accepting(), refused, shownFor });
        await expect(connecting).rejects.toThrow(text);
        expect(waited()).toBeLessThanOrEqual(2_000);
      }
    },
  );

  it.each(['decline', 'cancel'])(
    'a client whose person answers %s tells the issuer, and the call ends',
    async (action) => {
      const call = testCall({ capabilities: { elicitation: { url: {} } } }, [{ action }]);
      const { connecting, wishes } = setUp({ after: 60_000, call });
      await expect(connecting).rejects.toThrow('The user declined to connect github.');
      expect(wishes).toEqual([{ kind: 'declined', page: PAGE }]);
    },
  );

  it.each([
    ['connected', undefined],
    ['declined', 'access_denied'],
  ])('a person who has %s at the page needs not answer the client, whose question is withdrawn', async (_, refused) => {
    const questions: ClientRequest[] = [];
    const ask = (request: ClientRequest) => {
      questions.push(request);
      return new Promise(() => {});
    };
    const call = testCall({ capabilities: { elicitation: { url: {} } }, ask });
    const { connecting } = setUp({ after: 10_000, call, ...(refused && { refused }) });
    if (refused) await expect(connecting).rejects.toThrow('declined');
    else expect(await connecting).toBe(TOKEN);
    expect(questions.map(({ signal }) => signal?.aborted)).toEqual([true]);
  });

  it('a question that has its answer is not withdrawn, and its client cannot give a token of its own', async () => {
    const call = testCall({ capabilities: { elicitation: { url: {} } } }, [
      { ...TOKEN, token: 'forged', action: 'accept' },
    ]);
    expect(await setUp({ after: 10_000, call }).connecting).toBe(TOKEN);
    expect(call.asked.map(({ signal }) => signal?.aborted)).toEqual([false]);
  });
});
