/** Proves what happens to a request whose body can be sent once only, when the upstream refuses the token. */
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
