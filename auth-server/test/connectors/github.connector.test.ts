/** Proves that sign-in with GitHub keeps the connector contract, against a stand-in that behaves like GitHub. */
import { serve } from '@mcp-oauth/shared/testing/listen';
import { describe, expect, it } from 'vitest';
import { CALLBACK, checks, connectorContract } from '../contracts/connector.contract.ts';
import { addresses, open, start, TOKEN_PATH } from '../support/github-stand-in.ts';
import { shown } from '../support/oidc-stand-in.ts';
import { Reply, type Stage } from '../support/upstream-stand-in.ts';

connectorContract('github', (timeout) => start(timeout));

describe('github', () => {
  const signIn = async (change: (stage: Stage) => void) => {
    await using upstream = await start();
    change(upstream.stage);
    return (await upstream.connector.finish(await upstream.signIn(await upstream.connector.begin(checks)), checks))
      .identity;
  };

  it('GitHub sign-in uses the numeric id, because a login can be reassigned, and the primary verified address', async () => {
    expect(await signIn(() => {})).toMatchObject({
      subject: '583231', username: 'octocat', name: 'The Octocat', email: 'octocat@example.com',
    }); // biome-ignore format: one row
  });

  it('GitHub sign-in ignores an unverified address', async () => {
    const unverified = [{ email: 'victim@example.com', primary: true, verified: false }];
    expect((await signIn(({ routes }) => routes.set('/api/v3/user/emails', () => unverified))).email).toBeUndefined();
  });

  it('GitHub sign-in works without an address when the list is unavailable', async () => {
    expect(await signIn(({ routes }) => routes.delete('/api/v3/user/emails'))).toMatchObject({ subject: '583231' });
  });

  it.each([
    [
      'null members beside the token',
      { refresh_token: null, scope: null, error: null, error_description: '', expires_in: '' },
    ],
    ['scopes as a list', { scope: ['read:user'], token_type: null }],
  ])('RFC 6749 §5.1 GitHub sign-in ignores %s', async (_, members) => {
    const answer = () => ({ access_token: 'gho_1', ...members });
    expect(await signIn(({ routes }) => routes.set(TOKEN_PATH, answer))).toMatchObject({ subject: '583231' });
  });

  it.each([
    ['only an id', { id: 583231 }, []],
    ['null members', { id: 583231, login: null, name: null }, null],
    [
      'members of other kinds',
      { id: 583231, login: 7, name: {} },
      [null, 'x', { email: 7, primary: true, verified: true }],
    ],
    ['empty members', { id: 583231, login: '', name: ' ' }, {}],
  ])('GitHub sign-in accepts a user with %s', async (_, user, list) => {
    const identity = await signIn(({ routes }) =>
      routes.set('/api/v3/user', () => user).set('/api/v3/user/emails', () => list),
    );
    expect(shown(identity)).toEqual({ issuer: expect.any(String), subject: '583231' });
  });

  it('an odd entry in the list of addresses does not hide the others', async () => {
    const odd = [null, { email: null, primary: true, verified: true }, ...addresses];
    expect((await signIn(({ routes }) => routes.set('/api/v3/user/emails', () => odd))).email).toBe(
      'octocat@example.com',
    );
  });

  it.each([
    ['bad_verification_code', 'invalid_answer'],
    ['incorrect_client_credentials', 'unavailable'],
    ['redirect_uri_mismatch', 'misconfigured'],
    ['application_suspended', 'misconfigured'],
    ['unverified_user_email', 'denied'],
  ])('RFC 6749 §5.2 the GitHub error %s with HTTP 200 is %s, with its description', async (error, reason) => {
    const said = () => ({ error, error_description: 'The words of GitHub.', error_uri: 'https://docs.github.com' });
    const failed = signIn(({ routes }) => routes.set(TOKEN_PATH, said));
    await expect(failed).rejects.toMatchObject({
      reason,
      facts: { upstreamError: error, upstreamDescription: 'The words of GitHub.' },
    });
  });

  it.each([
    [401, {}, 'invalid_answer'],
    [403, {}, 'invalid_answer'],
    [403, { 'x-ratelimit-remaining': '0' }, 'unavailable'],
    [429, {}, 'unavailable'],
  ])('an API answer is reported with its status: %i %j', async (status, headers, reason) => {
    const reply = () => new Reply(status, { message: 'Bad credentials' }, headers as Record<string, string>);
    const failed = signIn(({ routes }) => routes.set('/api/v3/user', reply));
    await expect(failed).rejects.toMatchObject({ reason, facts: { status } });
  });

  it.each([[{}], [{ id: '583231', login: 'octocat' }], [{ id: 1.5 }], [{ id: -1 }], [{ id: 2 ** 60 }], [[]], [null]])(
    'the user %j is refused',
    async (body) => {
      const failed = signIn(({ routes }) => routes.set('/api/v3/user', () => body));
      await expect(failed).rejects.toMatchObject({ reason: 'invalid_answer' });
    },
  );

  it('credentials that GitHub refuses with HTTP 200 are reported as unavailable', async () => {
    const refused = () => ({ error: 'incorrect_client_credentials' });
    const failed = signIn(({ routes }) => routes.set(TOKEN_PATH, refused));
    await expect(failed).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('the client secret is not sent on to where a redirect points', async () => {
    await using elsewhere = await serve((_, response) => response.end('{"access_token":"stolen"}'));
    await using redirecting = await serve((_, response) => response.writeHead(307, { Location: elsewhere.url }).end());
    const answer = new URL(`${CALLBACK}?code=good&state=${checks.state}`);
    await expect(open(redirecting.url).finish(answer, checks)).rejects.toMatchObject({ reason: 'unavailable' });
  });
});
