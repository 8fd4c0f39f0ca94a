/**
 * Owns a stand-in for GitHub that keeps the tokens of one app as GitHub documents it: those of an OAuth app have scopes and do not expire;
 * those of a GitHub App expire, and a refresh ends both old tokens ("Refreshing user access tokens"). It counts what it is asked.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { serve } from '@mcp-oauth/shared/testing/listen';

interface GithubUser {
  readonly id: number;
  readonly login: string;
  readonly repositories?: readonly { readonly name: string; readonly private: boolean }[];
}

interface Issued {
  readonly user: GithubUser;
  readonly scopes: readonly string[];
  readonly refreshToken: string | undefined;
  hasExpired: boolean;
}

export interface GithubApp extends AsyncDisposable {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Environment of an auth-server with a connector of this id. */
  env(id: string): Record<string, string>;
  /** Who is signed in at GitHub in the browser that comes next. */
  user: GithubUser;
  /** Whether that person presses Cancel at GitHub. */
  isDeclined: boolean;
  /** Seconds for which an access token of a GitHub App is good; an OAuth app has tokens that do not expire. */
  lifetime: number | undefined;
  /** What each refresh, and each answer of the API, waits for. Absent: nothing. */
  heldRefresh: Promise<void> | undefined;
  heldCall: Promise<void> | undefined;
  /** How many refreshes wait for that. */
  waiting: number;
  /** Whether it answers nothing but 503. */
  isDown: boolean;
  /** The requests for authorization, in order. */
  readonly asked: readonly URLSearchParams[];
  /** Every token that was issued, for the search of logs. */
  readonly issued: readonly string[];
  /** Access tokens that this app has revoked by the API. */
  readonly revoked: readonly string[];
  /** `refresh`, `refused refresh`, and the path of each call of the API, with how often it was asked. */
  readonly counts: ReadonlyMap<string, number>;
  /** The token of each call of the API, in order. */
  readonly called: readonly string[];
  /** The person withdraws the consent in the settings of GitHub: every token of this app ends. */
  withdraw(id: number): void;
  /** The access tokens of this person end; their refresh tokens do not. */
  expire(id: number): void;
}

const CLIENT = { id: 'Iv1.sample', secret: 'sample secret of the app' };

export async function githubApp(): Promise<GithubApp> {
  const codes = new Map<string, Pick<Issued, 'user' | 'scopes'> & { readonly challenge: string | null }>();
  const tokens = new Map<string, Issued>();
  const counts = new Map<string, number>();
  const [asked, issued, revoked, called] = [[] as URLSearchParams[], [] as string[], [] as string[], [] as string[]];
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const random = (prefix: string) => {
    const token = prefix + randomBytes(18).toString('base64url');
    issued.push(token);
    return token;
  };

  const issue = (user: GithubUser, scopes: readonly string[]): object => {
    const { lifetime } = app;
    const [accessToken, refreshToken] = lifetime ? [random('ghu_'), random('ghr_')] : [random('gho_')];
    // The permissions of a GitHub App are those of its installation; it has no scopes.
    tokens.set(accessToken, { user, scopes: lifetime ? [] : scopes, refreshToken, hasExpired: false });
    const expiry = { expires_in: lifetime, refresh_token: refreshToken, refresh_token_expires_in: 15_897_600 };
    return {
      access_token: accessToken,
      token_type: 'bearer',
      scope: lifetime ? '' : scopes.join(','),
      ...(lifetime && expiry),
    };
  };

  function redeemed(form: URLSearchParams): object {
    if (form.get('client_id') !== CLIENT.id || form.get('client_secret') !== CLIENT.secret)
      return {
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret are incorrect.',
      };
    if (form.get('grant_type') === 'refresh_token') {
      const [used, found] =
        [...tokens].find(([, { refreshToken }]) => refreshToken === form.get('refresh_token')) ?? [];
      count(found ? 'refresh' : 'refused refresh');
      if (!used || !found)
        return { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' };
      tokens.delete(used);
      return issue(found.user, found.scopes);
    }
    const code = form.get('code') ?? '';
    const found = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!found || found.challenge !== challenge)
      return { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' };
    return issue(found.user, found.scopes);
  }

  const api: Readonly<Record<string, (token: Issued) => unknown>> = {
    '/api/user': ({ user: { id, login } }) => ({
      id,
      login,
      name: `${login} at GitHub`,
      html_url: `${server.url}/${login}`,
    }),
    '/api/user/emails': () => [],
    '/api/user/orgs': () => [],
    '/api/user/teams': () => [],
    '/api/user/repos': ({ user: { login, repositories = [] }, scopes, refreshToken }) =>
      repositories
        .filter((repository) => !repository.private || refreshToken || scopes.includes('repo'))
        .map((one) => ({
          id: one.name.length,
          full_name: `${login}/${one.name}`,
          html_url: `${server.url}/${login}/${one.name}`,
          ...one,
        })),
  };

  const server = await serve(async (req: IncomingMessage, res: ServerResponse) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://github');
    const send = (status: number, value: unknown, headers: Record<string, string> = {}) =>
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    if (app.isDown) return send(503, { message: 'unavailable' });
    if (pathname === '/login/oauth/authorize') {
      asked.push(searchParams);
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      const code = randomBytes(10).toString('hex');
      const scopes = (searchParams.get('scope') ?? '').split(' ').filter(Boolean);
      codes.set(code, { user: app.user, scopes, challenge: searchParams.get('code_challenge') });
      if (app.isDeclined) back.searchParams.set('error', 'access_denied');
      else back.searchParams.set('code', code);
      back.searchParams.set('state', searchParams.get('state') ?? '');
      return res.writeHead(302, { location: back.href }).end();
    }
    if (pathname === '/login/oauth/access_token') {
      let body = '';
      for await (const chunk of req) body += chunk;
      const form = new URLSearchParams(body);
      app.waiting += 1;
      if (form.get('grant_type') === 'refresh_token') await app.heldRefresh;
      app.waiting -= 1;
      return send(200, redeemed(form));
    }
    if (pathname === `/api/applications/${CLIENT.id}/token` && req.method === 'DELETE') {
      const { access_token: token } = (await json(req)) as { access_token: string };
      const basic = Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64');
      if (req.headers.authorization !== `Basic ${basic}`) return send(401, { message: 'Bad credentials' });
      revoked.push(token);
      return tokens.delete(token) ? res.writeHead(204).end() : send(404, { message: 'Not Found' });
    }
    const token = req.headers.authorization?.replace(/^(Bearer|token) /, '') ?? '';
    count(pathname.replace(/^\/api/, ''));
    called.push(token);
    await app.heldCall;
    const found = tokens.get(token);
    if (!found || found.hasExpired) return send(401, { message: 'Bad credentials' });
    const answer = api[pathname]?.(found);
    return send(answer === undefined ? 404 : 200, answer ?? { message: 'Not Found' }, {
      'x-oauth-scopes': found.scopes.join(', '),
    });
  });

  const app: GithubApp = {
    url: server.url,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    env: (id) => ({
      [`CONNECTOR_${id.toUpperCase()}_TYPE`]: 'github',
      [`CONNECTOR_${id.toUpperCase()}_BASE_URL`]: server.url,
      [`CONNECTOR_${id.toUpperCase()}_API_URL`]: `${server.url}/api`,
      [`CONNECTOR_${id.toUpperCase()}_CLIENT_ID`]: CLIENT.id,
      [`CONNECTOR_${id.toUpperCase()}_CLIENT_SECRET`]: CLIENT.secret,
    }),
    user: { id: 583231, login: 'octocat' },
    isDeclined: false,
    lifetime: undefined,
    heldRefresh: undefined,
    heldCall: undefined,
    waiting: 0,
    isDown: false,
    asked,
    issued,
    revoked,
    counts,
    called,
    withdraw: (id) => {
      for (const [token, { user }] of tokens) if (user.id === id) tokens.delete(token);
    },
    expire: (id) => {
      for (const issued of tokens.values()) if (issued.user.id === id) issued.hasExpired = true;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return app;
}
