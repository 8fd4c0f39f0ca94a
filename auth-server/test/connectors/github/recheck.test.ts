/** Proves that GitHub is asked again about a person, and what each of its answers means. */
import { describe, expect, it } from 'vitest';
import type { UpstreamError, UpstreamSession } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { person, start, TOKEN_PATH } from '../../support/github-stand-in.ts';
import { Reply, type Stage } from '../../support/upstream-stand-in.ts';

interface Asked {
  readonly stage: Stage;
  /** The session of the sign-in. */
  readonly session: UpstreamSession;
  readonly renewed: UpstreamSession[];
  recheck(
    session?: UpstreamSession,
    signal?: AbortSignal,
  ): Promise<{ readonly identity: object; readonly session?: UpstreamSession | undefined }>;
}

/** A person who has signed in. @param tokens members of the token response */
async function signedIn(work: (asked: Asked) => Promise<void>, tokens: object = {}): Promise<void> {
  await using upstream = await start();
  const { stage, connector } = upstream;
  const code = stage.routes.get(TOKEN_PATH);
  stage.routes.set(TOKEN_PATH, (form, request) => ({ ...(code?.(form, request) as object), ...tokens }));
  const { session = {} } = await connector.finish(await upstream.signIn(await connector.begin(checks)), checks);
  const renewed: UpstreamSession[] = [];
  const renew = async (next: UpstreamSession) => void renewed.push(next);
  const recheck: Asked['recheck'] = async (last = session, signal = new AbortController().signal) => {
    if (!connector.recheck) throw new Error('it cannot be asked');
    return connector.recheck(last, renew, signal);
  };
  await work({ stage, session, renewed, recheck });
}

const failure = (work: Promise<unknown>): Promise<UpstreamError> =>
  work.then(() => expect.fail('it was accepted'), (error) => error); // biome-ignore format: short

const EXPIRING = { expires_in: 28_800, refresh_token: 'ghr_1' };

describe('GitHub, asked again', () => {
  it('the token of an OAuth app does not expire, and GET /user says who the person is now', () =>
    signedIn(async ({ stage, session, recheck, renewed }) => {
      expect(session).toEqual({ accessToken: 'gho_1234567890' });
      stage.routes.set('/api/v3/user', () => ({ ...person, login: 'renamed' }));
      expect(await recheck()).toMatchObject({ identity: { subject: '583231', username: 'renamed' }, session });
      expect(renewed).toEqual([]);
    }));

  it('GitHub docs "Refreshing user access tokens": an expired token is renewed and handed over before GET /user', () =>
    signedIn(async ({ stage, session, recheck, renewed }) => {
      expect(session).toMatchObject({ refreshToken: 'ghr_1', expiresAt: expect.any(Number) });
      expect((await recheck()).session).toBe(session);
      let sent: URLSearchParams | undefined;
      stage.routes.set(TOKEN_PATH, (form) => {
        sent = form;
        return { access_token: 'ghu_2', token_type: 'bearer', expires_in: 28_800, refresh_token: 'ghr_2' };
      });
      stage.routes.set('/api/v3/user', () => new Reply(503, {}));
      expect(await failure(recheck({ ...session, expiresAt: 0 }))).toMatchObject({ reason: 'unavailable' });
      expect(renewed).toMatchObject([{ accessToken: 'ghu_2', refreshToken: 'ghr_2' }]);
      expect(Object.fromEntries(sent ?? [])).toEqual({
        client_id: 'client', client_secret: 'secret', grant_type: 'refresh_token', refresh_token: 'ghr_1',
      }); // biome-ignore format: one row
    }, EXPIRING));

  it.each([
    ['a withdrawn consent', new Reply(401, { message: 'Bad credentials' }), 'denied'],
    ['a suspended person', new Reply(403, { message: 'Sorry. Your account was suspended.' }), 'denied'],
    ['an app that an organisation forbids', new Reply(403, { message: 'Resource protected by organization SAML enforcement.' }), 'invalid_answer'],
    ['a rate limit', new Reply(403, { message: 'API rate limit exceeded' }, { 'x-ratelimit-remaining': '0' }), 'unavailable'],
    ['an outage', new Reply(502, '<html>'), 'unavailable'],
    ['text', new Reply(200, 'hello'), 'invalid_answer'],
  ] as const)('the answer to GET /user: %s', (_, answer, reason) =>
    signedIn(async ({ stage, recheck }) => {
      stage.routes.set('/api/v3/user', () => answer);
      expect(await failure(recheck())).toMatchObject({ reason });
    }),
  ); // biome-ignore format: one row for each answer

  it.each([TOKEN_PATH, '/api/v3/user'])('a question that takes too long closes its request to %s', (path) =>
    signedIn(async ({ stage, session, recheck }) => {
      const question = new AbortController();
      const closed = Promise.withResolvers<void>();
      stage.routes.set(path, (_, { socket }) => {
        socket.once('close', closed.resolve);
        question.abort();
        return new Promise(() => {});
      });
      const last = path === TOKEN_PATH ? { ...session, expiresAt: 0 } : session;
      const { reason, message } = await failure(recheck(last, question.signal));
      expect([reason, message]).toEqual([
        'unavailable',
        expect.stringMatching(`${path} .* before the question was ended`),
      ]);
      await closed.promise;
    }, EXPIRING),
  );

  it.each([
    ['GitHub docs: a refresh token that is over', { error: 'bad_refresh_token' }, 'ended'],
    ['a wrong client secret', { error: 'incorrect_client_credentials' }, 'unavailable'],
    ['a suspended app', { error: 'application_suspended' }, 'misconfigured'],
  ])('the answer to a refresh token: %s', (_, answer, reason) =>
    signedIn(async ({ stage, session, recheck }) => {
      stage.routes.set(TOKEN_PATH, () => answer);
      expect(await failure(recheck({ ...session, expiresAt: 0 }))).toMatchObject({ reason });
    }, EXPIRING),
  );
});
