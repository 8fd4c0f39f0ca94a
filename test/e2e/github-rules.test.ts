/**
 * Proves with a real auth-server, and a GitHub that answers as GitHub documents, that rules about people at GitHub let in the right ones
 * alone: the numeric id decides, and what GitHub does not tell is never "no organisation". GitHub is asked again at a refresh.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Run, type Stack } from '../support/stack.ts';
import { githubApp } from './github-apps.ts';
import { githubStub, type Upstream } from './github-stub.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-github-'));
let upstream: Upstream;
let at: Stack;
let auth: Run;

beforeAll(async () => {
  const [mcpPort, authPort] = await freePorts(2);
  at = { mcpUrl: `http://localhost:${mcpPort}`, authUrl: `http://localhost:${authPort}` } as Stack;
  upstream = await githubStub();
  const rules = { CONNECTOR_STUB_ALLOW: 'org:Acme, user:583231, email:octocat@example.com, team:Partner/MCP' };
  const own = { ISSUER: at.authUrl, RESOURCES: at.mcpUrl, DATA_DIR: dataDir, UPSTREAM_RECHECK: '1s' };
  auth = new Run({ ...own, ...upstream.env, ...rules }, 'auth-server/src/main.ts');
  await auth.says('"msg":"ready"');
});
afterAll(async () => {
  await auth?.stop();
  await upstream?.[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(() => {
  upstream.revoked.clear();
  Object.assign(upstream, { emails: [], orgs: [], teams: [], orgsHead: { status: 200, headers: {} } });
});

const LONG = { timeout: 30_000, interval: 100 };
const REFUSED = 'This account has no access';

/** Signs this user in. @returns the subject of their token, the error for the client, or the text of the page that refuses them */
async function signIn(user: object): Promise<string> {
  upstream.user = user;
  const client = await OAuthClient.register(at);
  const person = new Person();
  const page = await person.open(client.authorizationUrl(), REDIRECT_URI);
  if (page instanceof URL) throw new Error(`no page: ${page}`);
  const end = await person.press(page, /^Continue with/, REDIRECT_URI);
  if (!(end instanceof URL)) return end.body.includes(REFUSED) ? REFUSED : end.body;
  const error = end.searchParams.get('error');
  if (error) return error;
  const { json } = await client.redeem(end.searchParams.get('code') ?? '');
  return String(decodeJwt(String(json.access_token)).sub);
}

const SUBJECT = /^[\w-]{43}$/;

describe('rules about people at GitHub', () => {
  it('a member of the organisation comes in, whatever the case of its name, and read:org is requested', async () => {
    upstream.orgs = [{ login: 'ACME', id: 9919 }];
    expect(await signIn({ id: 7, login: 'ada' })).toMatch(SUBJECT);
    expect(upstream.asked.at(-1)?.get('scope')).toBe('read:user user:email read:org');
  });

  it.each([
    ['acme-evil', 'another organisation with a longer name'],
    ['9919', 'an organisation that is called like an id'],
  ])('a member of %s, %s, stays out', async (login) => {
    upstream.orgs = [{ login, id: 43 }];
    expect(await signIn({ id: 7, login: 'ada' })).toBe(REFUSED);
  });

  it('OpenID Connect Core §5.7 a renamed user is the same person, and who takes the old name is another one', async () => {
    const before = await signIn({ id: 583231, login: 'octocat' });
    expect(before).toMatch(SUBJECT);
    expect(await signIn({ id: 583231, login: 'hexacat' })).toBe(before);
    expect(await signIn({ id: 42, login: 'octocat' })).toBe(REFUSED);
  });

  it('a stranger who calls themselves like the id of the allowed user stays out', async () => {
    expect(await signIn({ id: 42, login: '583231' })).toBe(REFUSED);
  });

  it("a second account with the victim's unverified address stays out, and the log says why", async () => {
    upstream.emails = [{ email: 'octocat@example.com', primary: true, verified: false }];
    expect(await signIn({ id: 42, login: 'mallory' })).toBe(REFUSED);
    await auth.says('does not say that the e-mail address is verified');
    upstream.emails = [{ email: 'octocat@example.com', primary: true, verified: true }];
    expect(await signIn({ id: 7, login: 'ada' })).toMatch(SUBJECT);
  });

  it('an organisation that single sign-on hides does not let in, and the log names it', async () => {
    upstream.orgsHead = { status: 200, headers: { 'x-github-sso': 'partial-results; organizations=9919' } };
    expect(await signIn({ id: 7, login: 'ada' })).toBe(REFUSED);
    await expect
      .poll(() => auth.output)
      .toMatch(/the list for org is not complete: GitHub hides .* single sign-on .*9919/);
  });

  it.each([
    ['the team comes in, whatever the case of its names', 'partner', 'mcp', SUBJECT],
    ['a team of the same name in another organisation stays out', 'acme-partner', 'mcp', REFUSED],
    ['another team of the organisation stays out', 'partner', 'mcp-guests', REFUSED],
  ])('a member of %s', async (_, organisation, slug, end) => {
    upstream.teams = [{ id: 1296269, slug, organization: { login: organisation, id: 5 } }];
    expect(await signIn({ id: 7, login: 'ada' })).toMatch(end);
    expect(upstream.asked.at(-1)?.get('scope')).toBe('read:user user:email read:org');
  });

  it('RFC 6749 §4.1.2.1 while GitHub does not list organisations the client hears that it is temporary', async () => {
    upstream.orgsHead = { status: 403, headers: { 'x-ratelimit-remaining': '0' } };
    expect(await signIn({ id: 7, login: 'ada' })).toBe('temporarily_unavailable');
  });
});

/** A client of one person, whose access token at GitHub is the name. */
async function sessionOf(name: string, user: object) {
  upstream.token = { access_token: name, token_type: 'bearer' };
  upstream.users.set(name, user);
  const client = await OAuthClient.register(at);
  let token = (await client.tokens({}, new Person())).refresh_token;
  return {
    refresh: async (): Promise<Answer> => {
      const answer = await client.refresh(token);
      if (answer.status === 200) token = String(answer.json.refresh_token);
      return answer;
    },
  };
}
type Session = Awaited<ReturnType<typeof sessionOf>>;

/** Refreshes until something is true, and returns the last answer. */
async function refreshedUntil({ refresh }: Session, isTrue: (answer: Answer) => boolean): Promise<Answer> {
  let answer: Answer | undefined;
  const attempt = async () => {
    answer = await refresh();
    return isTrue(answer);
  };
  await expect.poll(attempt, LONG).toBe(true);
  return answer ?? expect.unreachable();
}

const refreshedTo = (status: number, session: Session) => refreshedUntil(session, (answer) => answer.status === status);

/** Refreshes until GitHub was asked about the person once more. */
function askedAgain(name: string, session: Session): Promise<Answer> {
  const count = () => upstream.identified.filter((token) => token === name).length;
  const before = count();
  return refreshedUntil(session, () => count() > before);
}

describe('UPSTREAM_RECHECK at GitHub', () => {
  it('GitHub docs "Token expiration and revocation": a withdrawn consent ends the grant, and nobody else loses theirs', async () => {
    upstream.orgs = [{ login: 'acme', id: 9919 }];
    const ada = await sessionOf('gho_ada', { id: 7, login: 'ada' });
    const octocat = await sessionOf('gho_octocat', { id: 583231, login: 'octocat' });
    upstream.revoked.add('gho_ada');
    const { json } = await refreshedTo(400, ada);
    expect(json).toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringMatching(/consent was withdrawn/),
    });
    expect(auth.output).toMatch(/"outcome":"denied"[^\n]*answered 401[^\n]*"upstream re-check failed"/);
    expect((await askedAgain('gho_octocat', octocat)).status).toBe(200);
    upstream.revoked.clear();
    expect((await ada.refresh()).json, 'the grant has ended').toMatchObject({ error: 'invalid_grant' });
  });

  it('a person who has left the organisation is refused at a refresh, and nobody else is', async () => {
    upstream.orgs = [{ login: 'acme', id: 9919 }];
    const ada = await sessionOf('gho_ada', { id: 7, login: 'ada' });
    const octocat = await sessionOf('gho_octocat', { id: 583231, login: 'octocat' });
    upstream.orgs = [];
    const { json } = await refreshedTo(400, ada);
    expect(json).toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringMatching(/may not use this server/),
    });
    expect((await askedAgain('gho_octocat', octocat)).status).toBe(200);
    upstream.orgs = [{ login: 'acme', id: 9919 }];
    await refreshedTo(200, ada);
  });

  it('GitHub docs "Refreshing user access tokens": each question uses the newest of the tokens that rotate', async () => {
    await using github = await githubApp();
    github.lifetime = 30;
    const [port] = await freePorts(1);
    const stack = { mcpUrl: at.mcpUrl, authUrl: `http://localhost:${port}` } as Stack;
    const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-github-app-'));
    const own = { ISSUER: stack.authUrl, RESOURCES: at.mcpUrl, DATA_DIR: folder, UPSTREAM_RECHECK: '1s' };
    const server = new Run({ ...own, CONNECTORS: 'github', ...github.env('github') }, 'auth-server/src/main.ts');
    try {
      await server.says('"msg":"ready"');
      const client = await OAuthClient.register(stack);
      let token = (await client.tokens({}, new Person())).refresh_token;
      const refreshes = async () => {
        const { json } = await client.refresh(token);
        token = String(json.refresh_token);
        return github.counts.get('refresh') ?? 0;
      };
      await expect.poll(refreshes, LONG).toBe(2);
      expect(github.counts.get('refused refresh')).toBeUndefined();
      expect(github.issued.filter((one) => server.output.includes(one))).toEqual([]);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
