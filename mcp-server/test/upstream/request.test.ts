/** Proves how long a request takes at most, and what happens to one whose body can be sent once only when the upstream refuses the token. */
import { describe, expect, it } from 'vitest';
import { createRequests } from '../../src/upstream/request.ts';
import type { UpstreamToken } from '../../src/upstream/upstream-token.ts';

const upstream = {
  ...{ id: 'github', base: 'https://api.example', origins: new Set(['https://api.example']), scopes: undefined },
  target: { audience: 'github' },
};

/** Sends a stream to an API that accepts the token `new` alone. */
function upload(token: (rejected?: string) => Promise<UpstreamToken>) {
  const sent: (string | null)[] = [];
  const request = createRequests(
    async (_, init) => {
      const authorization = new Headers(init?.headers).get('authorization');
      sent.push(authorization);
      return new Response(null, { status: authorization === 'Bearer new' ? 201 : 401 });
    },
    async () => 'proof',
    () => 0,
  );
  const init = { method: 'PUT', body: new Blob(['content']).stream() };
  return {
    sent,
    answer: request({ upstream, url: '/file', init, token, signal: new AbortController().signal, timeout: 60_000 }),
  };
}

const given = (token: string): UpstreamToken => ({ token, type: 'Bearer', scopes: undefined, expiresAt: undefined });

describe('a request whose body is a stream', () => {
  it('RFC 6750 §3.1 a stream is not sent again, but a refused token is replaced for the next request', async () => {
    const reported: (string | undefined)[] = [];
    const { sent, answer } = upload(async (rejected) => {
      reported.push(rejected);
      return given(rejected === undefined ? 'old' : 'new');
    });
    expect((await answer).status).toBe(401);
    expect([sent, reported]).toEqual([['Bearer old'], [undefined, 'old']]);
  });

  it('a stream leads to the page for the account if there is no other token than the refused one', async () => {
    const { answer } = upload(async (rejected) => {
      if (rejected !== undefined) throw new Error('the person is asked');
      return given('old');
    });
    await expect(answer).rejects.toThrow('the person is asked');
  });
});

describe('the time limit of a request', () => {
  /** Sends a request of a minute. Each answer of the API comes after so many seconds; one after the last never comes. */
  function timed(answers: readonly Response[], { type = 'Bearer', seconds = 60, tokenAfter = 0 } = {}) {
    let now = 0;
    const rest = [...answers];
    const request = createRequests(
      async (_, init) => {
        const next = rest.shift();
        now += seconds * 1_000;
        if (next && !init?.signal?.aborted) return next;
        await new Promise((resolve) => init?.signal?.addEventListener('abort', resolve));
        throw new Error('aborted');
      },
      async () => 'proof',
      () => now,
    );
    const token = async (rejected?: string) => {
      now += tokenAfter * 1_000;
      return { ...given(rejected === undefined ? 'old' : 'new'), type } as UpstreamToken;
    };
    const { signal } = new AbortController();
    return request({ upstream, url: '/data', init: {}, token, signal, timeout: 60_000 });
  }
  const moved = () => new Response(null, { status: 302, headers: { location: '/other' } });
  const refused = (challenge: string) =>
    new Response(null, { status: 401, headers: { 'www-authenticate': challenge, 'dpop-nonce': 'n' } });

  it.each([
    ['a redirect', moved(), 'Bearer'],
    ['RFC 9449 §9 a nonce', refused('DPoP error="use_dpop_nonce"'), 'DPoP'],
    ['RFC 6750 §3.1 another token', refused('Bearer error="invalid_token"'), 'Bearer'],
  ])('%s does not begin it anew', async (_, first, type) => {
    await expect(timed([first], { type })).rejects.toThrow('github (api.example) gave no answer in 60 s');
  });

  it('the wait for a token, in which the person may connect the account, does not count', async () => {
    const answers = [refused('Bearer error="invalid_token"'), new Response(null, { status: 204 })];
    expect((await timed(answers, { seconds: 1, tokenAfter: 600 })).status).toBe(204);
  });
});
