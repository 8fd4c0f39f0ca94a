/** Proves which tokens GitHub gives to tools: those of an OAuth app with scopes, those of a GitHub App that expire, and their ends. */
import { describe, expect, it } from 'vitest';
import type { ToolAccess } from '../../../src/federation/connector.ts';
import { CALLBACK, checks } from '../../contracts/connector.contract.ts';
import { start, TOKEN_PATH } from '../../support/github-stand-in.ts';
import { Reply, type Route } from '../../support/upstream-stand-in.ts';

async function begin(token: object = { scope: 'repo,read:org' }) {
  const upstream = await start();
  const { stage } = upstream;
  const forms: URLSearchParams[] = [];
  const answer =
    (members: object): Route =>
    (form) => {
      forms.push(form);
      return { access_token: 'gho_tools', token_type: 'bearer', ...members };
    };
  stage.routes.set(TOKEN_PATH, answer(token));
  const tools = upstream.connector.tools as ToolAccess;
  return {
    stage,
    tools,
    forms,
    answers: (members: object) => stage.routes.set(TOKEN_PATH, answer(members)),
    connect: (requested: readonly string[]) =>
      tools.finish(new URL(`${CALLBACK}?code=good&state=${checks.state}`), checks, requested),
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

const signal = new AbortController().signal;
const EXPIRING = { access_token: 'ghu_1', scope: '', expires_in: 28_800, refresh_token: 'ghr_1' };

describe('GitHub, for tools', () => {
  it('RFC 7636 §4.3 the request asks for the scopes of tools alone, and for the account of the person', async () => {
    await using github = await begin();
    const target = await github.tools.begin(checks, { scopes: ['repo', 'gist'], loginHint: 'octocat' });
    expect(Object.fromEntries(target.searchParams)).toMatchObject({
      scope: 'repo gist',
      login: 'octocat',
      state: checks.state,
      code_challenge_method: 'S256',
    });
    const plain = await github.tools.begin(checks, { scopes: [] });
    expect([plain.searchParams.has('scope'), plain.searchParams.has('login')]).toEqual([false, false]);
    expect(plain.searchParams.get('prompt'), 'the person chooses the account').toBe('select_account');
  });

  it('the token of an OAuth app does not expire, and its account is that of GET /user', async () => {
    await using github = await begin();
    expect(await github.connect(['repo', 'read:org'])).toMatchObject({
      session: { accessToken: 'gho_tools', refreshToken: undefined, expiresAt: undefined },
      scopes: ['repo', 'read:org'],
      identity: { issuer: github.stage.url, subject: '583231', username: 'octocat' },
    });
    expect(github.forms[0]?.get('code_verifier')).toBe(checks.codeVerifier);
  });

  it('RFC 9700 §4.7.1 an answer of another sign-in is refused', async () => {
    await using github = await begin();
    const forged = new URL(`${CALLBACK}?code=good&state=other`);
    await expect(github.tools.finish(forged, checks, ['repo'])).rejects.toMatchObject({ reason: 'invalid_answer' });
    expect(github.forms).toEqual([]);
  });

  it('GitHub docs "Scopes for OAuth apps": a scope is given if one that contains it is, and what the person refused is not', async () => {
    await using github = await begin({ scope: 'user,repo' });
    const { scopes } = await github.connect(['read:user', 'user:email', 'public_repo', 'gist']);
    expect(scopes).toEqual(['read:user', 'user:email', 'public_repo']);
  });

  it('the token of a GitHub App has permissions in place of scopes, expires, and is renewed', async () => {
    await using github = await begin(EXPIRING);
    const connected = await github.connect(['repo']);
    expect(connected).toMatchObject({
      session: { refreshToken: 'ghr_1', expiresAt: expect.any(Number) },
      scopes: ['repo'],
    });
    github.answers({ ...EXPIRING, access_token: 'ghu_2', refresh_token: 'ghr_2' });
    expect(await github.tools.refresh(connected, signal)).toMatchObject({
      session: { accessToken: 'ghu_2', refreshToken: 'ghr_2' },
      scopes: ['repo'],
    });
    expect(github.forms.at(-1)?.get('refresh_token')).toBe('ghr_1');
  });

  it.each([
    ['the refresh token is not known any more', { error: 'bad_refresh_token' }, 'ended'],
    ['GitHub is down', new Reply(503, {}), 'unavailable'],
  ])('where %s a renewal says so', async (_, answer, reason) => {
    await using github = await begin(EXPIRING);
    const connected = await github.connect([]);
    github.stage.routes.set(TOKEN_PATH, () => answer);
    await expect(github.tools.refresh(connected, signal)).rejects.toMatchObject({ reason });
  });

  it.each([
    [200, { login: 'octocat' }, true],
    [401, { message: 'Bad credentials' }, false],
    [403, { message: 'rate limit' }, 'fails'],
    [500, {}, 'fails'],
    [200, '<html>', 'fails'],
  ] as const)(
    'GitHub REST API "Get the authenticated user": an answer of %i %j to a token says %s',
    async (status, body, said) => {
      await using github = await begin();
      const seen: unknown[] = [];
      github.stage.routes.set('/api/v3/user', (_, { headers }) => {
        seen.push(headers.authorization);
        return new Reply(status, body);
      });
      const answer = github.tools.isAccepted?.({ accessToken: 'gho_tools' }, signal);
      if (said === 'fails') await expect(answer).rejects.toMatchObject({ name: 'UpstreamError' });
      else expect(await answer).toBe(said);
      expect(seen).toEqual(['Bearer gho_tools']);
    },
  );

  it('GitHub REST API "Delete an app token": the token is ended, and no other one of the person', async () => {
    await using github = await begin();
    const seen: unknown[] = [];
    github.stage.routes.set('/api/v3/applications/client/token', (_, { method, headers }) => {
      seen.push(method, headers.authorization);
      return new Reply(200, {});
    });
    await github.tools.revoke?.({ accessToken: 'gho_tools' }, signal);
    expect(seen).toEqual(['DELETE', `Basic ${btoa('client:secret')}`]);
  });

  it.each([[404, 'is done'], [422, 'is done'], [403, 'fails']] as const)('an answer of %i to it %s', async (status, end) => {
    await using github = await begin();
    github.stage.routes.set('/api/v3/applications/client/token', () => new Reply(status, { message: 'no' }));
    const ended = github.tools.revoke?.({ accessToken: 'gho_tools' }, signal);
    if (end === 'fails') await expect(ended).rejects.toMatchObject({ name: 'UpstreamError' });
    else await ended;
  }); // biome-ignore format: one row for each
});
