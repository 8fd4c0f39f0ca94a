/**
 * Proves that a sign-in that fails between callback and identity is explained in the log, to the person and to the
 * client.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import github from '../../../src/connectors/github.connector.ts';
import oidc from '../../../src/connectors/oidc.connector.ts';
import type { SignIn } from '../../../src/federation/connector.ts';
import { type OpenConnector, openConnectors } from '../../../src/federation/registry.ts';
import { Browser } from '../../support/browser.ts';
import { authorizePath, register, WEB } from '../../support/client.ts';
import { type Play, settings, start } from '../../support/oidc-stand-in.ts';
import { ISSUER, type RunningServer, startServer } from '../../support/running-server.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

const SECRET = 'client-secret-of-this-test';

let play: Play;
let server: RunningServer;
let browser: Browser;
/** The URL to which the browser was sent. */
let away: URL;

const connectorsAt = (url: string): readonly OpenConnector[] => {
  const common = { clientId: 'client', clientSecret: SECRET, timeout: 60 };
  return openConnectors(
    [
      { id: 'acme', kind: oidc, title: 'Acme "Ünited"', settings: { ...settings, clientSecret: SECRET, issuer: url } },
      { id: 'github', kind: github, title: 'GitHub', settings: { ...common, baseUrl: url, apiUrl: url } },
    ] as Parameters<typeof openConnectors>[0],
    ISSUER,
    fetch,
  ).connectors;
};

beforeEach(async () => {
  play = await start();
  server = await startServer({ connectors: () => connectorsAt(play.issuer) });
  browser = new Browser(server);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await play.stop();
});

async function leave(connector = 'acme'): Promise<void> {
  const { page } = await browser.follow(authorizePath(await register(server)));
  const { outside } = await browser.submit(page, 'approve', { connector });
  if (!outside) throw new Error('the browser did not leave');
  away = outside;
}

/** Returns from the upstream with this answer. */
const comeBack = (members: Record<string, string>, connector = 'acme') => {
  const state = away.searchParams.get('state') ?? '';
  return browser.follow(`/callback/${connector}?${new URLSearchParams({ state, ...members })}`);
};

const failureLines = () => server.log.filter(({ msg }) => msg === 'upstream sign-in failed');

/** The answer to the client, after a check that the log contains its reference. */
function told(outside: URL | undefined): Record<string, string> {
  const [line, ...others] = failureLines();
  expect(others, 'one line').toEqual([]);
  const answer = Object.fromEntries(outside?.searchParams ?? []);
  expect(`${outside?.origin}${outside?.pathname}`).toBe(WEB);
  expect(answer).toMatchObject({ state: 'the-state', iss: server.issuer });
  expect(answer.error_description).toContain(`(reference ${line?.request})`);
  // RFC 6749 §4.1.2.1: the characters that a description may have.
  expect(answer.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  return answer;
}

describe('RFC 6749 §4.1.2.1 an upstream error goes to the log with its description, and to the client', () => {
  it.each([
    ['access_denied', 'access_denied', 'denied'],
    ['login_required', 'access_denied', 'denied'],
    ['user_cancelled_authorize', 'access_denied', 'denied'],
    ['temporarily_unavailable', 'temporarily_unavailable', 'unavailable'],
    ['server_error', 'temporarily_unavailable', 'unavailable'],
    ['invalid_scope', 'server_error', 'misconfigured'],
    ['invalid_client', 'server_error', 'misconfigured'],
    ['unauthorized_client', 'server_error', 'misconfigured'],
    ['invalid_request', 'server_error', 'misconfigured'],
    ['unsupported_response_type', 'server_error', 'misconfigured'],
    ['redirect_uri_mismatch', 'server_error', 'misconfigured'],
  ])('the upstream error %s is returned as %s', async (error, expected, outcome) => {
    for (const connector of ['acme', 'github']) {
      const error_description = 'AADSTS70011: The scope is not valid.\r\nTrace ID: 7f3';
      await leave(connector);
      const { outside } = await comeBack({ error, error_description }, connector);
      expect(outside?.searchParams.get('error'), connector).toBe(expected);
      expect(failureLines().at(-1)).toMatchObject({
        connector,
        outcome,
        upstreamError: error,
        upstreamDescription: 'AADSTS70011: The scope is not valid.  Trace ID: 7f3',
      });
    }
  });

  it('the description is truncated, escaped and without secrets', async () => {
    await leave();
    const [state, nonce] = ['state', 'nonce'].map((name) => away.searchParams.get(name) ?? '');
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
    const error_description = `\u001b[31m\u0085\u2028\u202e ${SECRET} ${state} ${nonce} ${jwt} a-code ${'x'.repeat(5_000)}`;
    const { outside } = await comeBack({ error: 'access_denied', error_description, code: 'a-code' });
    told(outside);
    const text = JSON.stringify(server.log);
    for (const secret of [SECRET, state ?? '', nonce ?? '', jwt, 'a-code']) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/[\u007f-\u009f\u2028\u202e]|[^\\]\\u001b\[/);
    expect(String(failureLines()[0]?.upstreamDescription).length).toBeLessThan(1_100);
  });
});

describe('an unacceptable upstream answer is server_error for the client, and the log names the claim', () => {
  it.each([
    ['no nonce', { claims: { nonce: undefined } }, { claim: 'nonce', found: 'nothing' }],
    ['another audience', { claims: { aud: 'other' } }, { claim: 'aud', expected: 'client', found: 'other' }],
    ['an empty sub', { claims: { sub: '' } }, { claim: 'sub', found: '' }],
    ['a sub of blanks', { claims: { sub: ' \u200b\t' } }, { claim: 'sub' }],
    ['a sub of 256 characters', { claims: { sub: 'x'.repeat(256) } }, { claim: 'sub', found: '256 characters' }],
    ['a number as sub', { claims: { sub: 7 } }, { claim: 'sub', found: 7 }],
    ['half a character in sub', { claims: { sub: 'a\ud83d' } }, { claim: 'sub' }],
    ['no id token', { members: { id_token: undefined } }, { claim: 'id_token', found: 'nothing' }],
  ])('an id token with %s is refused and logged', async (_, change, facts) => {
    await leave();
    Object.assign(play, change);
    await play.signIn(away);
    const { outside } = await comeBack({ code: 'good' });
    expect(told(outside).error).toBe('server_error');
    expect(failureLines()[0]).toMatchObject({ outcome: 'invalid_answer', connector: 'acme', ...facts });
  }); // biome-ignore format: one row each

  it.each([
    ['RFC 9207 §2.4 another issuer', { code: 'good', iss: 'https://evil.example' }, 'iss'],
    ['no code', {}, 'code'],
  ])('an authorization response with %s is refused and logged', async (_, members: Record<string, string>, claim) => {
    await leave();
    const { outside } = await comeBack(members);
    expect(told(outside).error).toBe('server_error');
    expect(failureLines()[0]).toMatchObject({ claim });
  });

  it.each([
    ['no id', { login: 'octocat' }, { claim: 'id', found: 'nothing' }],
    ['a null id', { id: null, login: 'octocat' }, { claim: 'id', found: 'nothing' }],
    ['an id of zero', { id: 0, login: 'octocat' }, { claim: 'id', found: 0 }],
    ['an id that JSON rounds', { id: 2 ** 60, login: 'octocat' }, { claim: 'id' }],
  ])('a GitHub user with %s is refused and logged', async (_, user, facts) => {
    await leave('github');
    play.stage.routes.set('/login/oauth/access_token', () => ({ access_token: 'gho_1' }));
    play.stage.routes.set('/user', () => user);
    const { outside } = await comeBack({ code: 'good' }, 'github');
    expect(told(outside).error).toBe('server_error');
    expect(failureLines()[0]).toMatchObject({ connector: 'github', ...facts });
  });

  it('a secret, code or verifier that an upstream repeats stays out of the log', async () => {
    await leave();
    play.stage.routes.set('/token', (form, { headers }) => {
      const error_description = `${headers.authorization} ${form} ${SECRET}`;
      return new Reply(400, { error: 'invalid_grant', error_description });
    });
    const { outside } = await comeBack({ code: 'a-code-to-be-kept' });
    expect(told(outside).error).toBe('server_error');
    const text = JSON.stringify(server.log);
    expect(text).toContain('code_verifier=[redacted]');
    for (const secret of [SECRET, 'a-code-to-be-kept']) expect(text).not.toContain(secret);
  });
});

describe('a faulty connector', () => {
  const broken = (finish: () => Promise<SignIn>): readonly OpenConnector[] => {
    const begin = async () => new URL(`https://x.example/?state=${'s'.repeat(8)}`);
    return [{ id: 'acme', title: 'Acme', callbackUrl: `${ISSUER}/callback/acme`, connector: { begin, finish } }];
  };

  it.each([
    ['throws', async () => Promise.reject(new TypeError('x is not a function')), 'x is not a function'],
    ['throws null', async () => Promise.reject(null), 'null'],
    ['gives nothing', async () => undefined as unknown as SignIn, 'iss of the person is not text'],
    ['has another member', async () => ({ identity: { issuer: 'https://x.example', sub: '1' } }) as unknown as SignIn, 'sub of the person is not text'],
  ])('a connector that %s is server_error for the client and explained in the log', async (_, finish, reason) => {
    const [real] = connectorsAt(play.issuer);
    const [fake] = broken(finish);
    if (!real || !fake) throw new Error('two connectors');
    await using other = await startServer({
      connectors: () => [{ ...real, connector: { begin: real.connector.begin, finish: fake.connector.finish } }],
    });
    const visitor = new Browser(other);
    const { page } = await visitor.follow(authorizePath(await register(other)));
    const { outside: there } = await visitor.submit(page, 'approve', { connector: 'acme' });
    const { outside } = await visitor.follow(`/callback/acme?code=x&state=${there?.searchParams.get('state')}`);
    expect(outside?.searchParams.get('error')).toBe('server_error');
    expect(other.log.find(({ msg }) => msg === 'upstream sign-in failed')?.reason).toContain(reason);
  }); // biome-ignore format: one row each
});

describe('an error page where no client can be told', () => {
  const html = { headers: { accept: 'text/html' } };
  const callback = () => `/callback/acme?code=good&state=${away.searchParams.get('state')}`;

  it('a callback without the cookie of a waiting sign-in is told that the cookie is missing', async () => {
    await leave();
    const response = await server.fetch(callback(), html);
    const page = await response.text();
    expect(response.status).toBe(400);
    expect(page).toContain('did not send the cookie of this sign-in');
    expect(page).not.toMatch(/took (too long|longer)/);
    expect(page).toContain(response.headers.get('x-request-id'));
  });

  it('a callback of a finished sign-in is told that it is finished, with or without its cookie', async () => {
    await leave();
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    await play.signIn(away);
    await comeBack({ code: 'good' });
    for (const headers of [html.headers, { ...html.headers, cookie }]) {
      const page = await (await server.fetch(callback(), { headers })).text();
      expect(page).toContain('it is already finished, or it took longer than ten minutes');
      expect(page).not.toContain('cookie');
    }
  });

  it('an error without a state is logged, and not shown: anybody can write such a link', async () => {
    const words = { error: 'invalid_request', error_description: 'AADSTS50011: redirect URI\u202e' };
    const response = await server.fetch(`/callback/acme?${new URLSearchParams(words)}`, html);
    expect(await response.text()).not.toContain('AADSTS50011');
    expect(server.log.find(({ msg }) => msg === 'request refused')).toMatchObject({
      reason: 'no state; the answer says invalid_request: AADSTS50011: redirect URI\\u202e',
    });
  });
});
