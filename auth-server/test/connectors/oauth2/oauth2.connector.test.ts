/** Proves that any OAuth 2.0 provider can give tokens to tools by settings alone, and that nobody can sign in with it. */
import { readSettings } from '@mcp-oauth/shared/settings/config';
import { describe, expect, it } from 'vitest';
import oauth2 from '../../../src/connectors/oauth2.connector.ts';
import { CALLBACK, checks } from '../../contracts/connector.contract.ts';
import { createStage, Reply } from '../../support/upstream-stand-in.ts';

type Env = Readonly<Record<string, string>>;
const signal = new AbortController().signal;

const settingsFor = (url: string, more: Env = {}): Env => ({
  AUTHORIZATION_URL: `${url}/authorize`,
  TOKEN_URL: `${url}/token/`,
  CLIENT_ID: 'the-client',
  CLIENT_SECRET: 's3cr+t',
  ...more,
});

function problemsOf(env: Env) {
  const { values, problems } = readSettings(oauth2.settings, env);
  const found = problems.length > 0 ? problems : (oauth2.rules?.(values as never) ?? []);
  return found.map(({ env: name }) => name);
}

async function begin(more: (url: string) => Env = () => ({})) {
  const stage = await createStage('/token/');
  const { values } = readSettings(oauth2.settings, settingsFor(stage.url, more(stage.url)));
  const { tools } = oauth2.open(values as Parameters<typeof oauth2.open>[0], { callbackUrl: CALLBACK, fetch });
  const requests: { readonly form: URLSearchParams; readonly authorization: string | undefined }[] = [];
  const answers = (members: object) =>
    stage.routes.set('/token/', (form, { headers }) => {
      requests.push({ form, authorization: headers.authorization });
      return members instanceof Reply ? members : { access_token: 'access-1', token_type: 'Bearer', ...members };
    });
  answers({ refresh_token: 'refresh-1', expires_in: 3600 });
  const connect = (requested: readonly string[] = ['read'], query = `code=good&state=${checks.state}`) =>
    tools.finish(new URL(`${CALLBACK}?${query}`), checks, requested);
  return { stage, tools, requests, answers, connect, [Symbol.asyncDispose]: () => stage.close() };
}

describe('an OAuth 2.0 provider', () => {
  it.each([
    [200, true],
    [401, false],
    [503, 'fails'],
  ] as const)('RFC 6750 §3.1 an answer of %i at USERINFO_URL tells whether a token is good', async (status, said) => {
    await using provider = await begin((url) => ({ USERINFO_URL: `${url}/me` }));
    provider.stage.routes.set('/me', () => new Reply(status, {}));
    const answer = provider.tools.isAccepted?.({ accessToken: 'access-1' }, signal);
    if (said === 'fails') await expect(answer).rejects.toMatchObject({ reason: 'unavailable' });
    else expect(await answer).toBe(said);
    await using silent = await begin();
    expect(silent.tools.isAccepted, 'without the URL it cannot tell').toBeUndefined();
  });

  it('RFC 7636 §4.3 the request has PKCE, the scopes and the parameters of the operator, who replaces none of ours', async () => {
    await using provider = await begin(() => ({
      AUTHORIZATION_PARAMETERS: 'access_type=offline&client_id=other&state=x',
    }));
    const target = await provider.tools.begin(checks, { scopes: ['read', 'write'] });
    expect(target.href).toMatch(`${provider.stage.url}/authorize?`);
    expect(Object.fromEntries(target.searchParams)).toMatchObject({
      access_type: 'offline',
      client_id: 'the-client',
      state: checks.state,
      scope: 'read write',
      code_challenge_method: 'S256',
      redirect_uri: CALLBACK,
    });
  });

  it('RFC 6749 §4.1.3 a code is redeemed with the verifier, at the URL exactly as it is written', async () => {
    await using provider = await begin();
    expect(await provider.connect()).toMatchObject({
      session: { accessToken: 'access-1', refreshToken: 'refresh-1', expiresAt: expect.any(Number) },
      scopes: ['read'],
      identity: undefined,
    });
    const [{ form, authorization } = { form: undefined, authorization: undefined }] = provider.requests;
    expect(form?.get('code_verifier')).toBe(checks.codeVerifier);
    expect(authorization).toBe(`Basic ${btoa('the-client:s3cr%2Bt')}`);
  });

  it.each([
    ['client_secret_post', 's3cr+t'],
    ['none', null],
  ])('RFC 6749 §2.3.1 CLIENT_AUTH=%s sends the client in the form', async (CLIENT_AUTH, secret) => {
    await using provider = await begin(() => ({ CLIENT_AUTH }));
    await provider.connect();
    const [request] = provider.requests;
    expect(request?.authorization).toBeUndefined();
    expect([request?.form.get('client_id'), request?.form.get('client_secret')]).toEqual(['the-client', secret]);
  });

  it('RFC 9207 §2.4 an answer with another state or of another issuer is refused before the code is sent', async () => {
    await using provider = await begin();
    for (const query of ['code=good&state=other', `code=good&state=${checks.state}&iss=https://evil.example`]) {
      await expect(provider.connect([], query)).rejects.toMatchObject({ reason: 'invalid_answer' });
    }
    await provider.connect([], `code=good&state=${checks.state}&iss=${provider.stage.url}`);
    expect(provider.requests).toHaveLength(1);
  });

  it('RFC 6749 §3.3 scopes that the provider leaves out are not given', async () => {
    await using provider = await begin();
    provider.answers({ scope: 'read,admin' });
    expect((await provider.connect(['read', 'write'])).scopes).toEqual(['read']);
  });

  it('USERINFO_URL says whose account it is', async () => {
    await using provider = await begin((url) => ({ USERINFO_URL: `${url}/me`, ACCOUNT_CLAIM: 'data.login' }));
    provider.stage.routes.set('/me', (_, { headers }) => ({ data: { login: headers.authorization } }));
    const identity = { issuer: provider.stage.url, username: 'Bearer access-1' };
    expect(await provider.connect()).toMatchObject({ identity });
    provider.stage.routes.set('/me', () => ({ data: {} }));
    await expect(provider.connect()).rejects.toMatchObject({ reason: 'invalid_answer' });
  });

  it('RFC 6749 §6 a token is renewed, and a refresh token without a new one stays', async () => {
    await using provider = await begin();
    const connected = await provider.connect();
    provider.answers({ access_token: 'access-2' });
    expect(await provider.tools.refresh(connected, signal)).toMatchObject({
      session: { accessToken: 'access-2', refreshToken: 'refresh-1' },
      scopes: ['read'],
    });
    expect(provider.requests.at(-1)?.form.get('grant_type')).toBe('refresh_token');
    for (const reply of [
      new Reply(400, { error: 'invalid_grant' }),
      new Reply(200, { ok: false, error: 'invalid_refresh_token' }),
    ]) {
      provider.answers(reply);
      await expect(provider.tools.refresh(connected, signal)).rejects.toMatchObject({ reason: 'ended' });
    }
    provider.answers(new Reply(400, { error: 'rate_limited' }));
    await expect(provider.tools.refresh(connected, signal)).rejects.toMatchObject({ reason: 'invalid_answer' });
    provider.answers(new Reply(401, { error: 'invalid_client' }));
    await expect(provider.tools.refresh(connected, signal)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it('RFC 7009 §2.1 REVOCATION_URL ends the refresh token', async () => {
    await using provider = await begin((url) => ({ REVOCATION_URL: `${url}/revoke` }));
    const revoked: (string | null)[] = [];
    provider.stage.routes.set('/revoke', (form) => {
      revoked.push(form.get('token'));
      return new Reply(200, '');
    });
    await provider.tools.revoke?.({ accessToken: 'access', refreshToken: 'refresh' }, signal);
    await provider.tools.revoke?.({ accessToken: 'access' }, signal);
    expect(revoked).toEqual(['refresh', 'access']);
    await using without = await begin();
    expect(without.tools.revoke).toBeUndefined();
  });

  it.each<[string, Env, readonly string[]]>([
    ['a secret that is missing', { CLIENT_SECRET: '' }, ['CLIENT_SECRET']],
    ['plain http', { TOKEN_URL: 'http://id.example.com/token' }, ['TOKEN_URL']],
    ['plain http for the account', { USERINFO_URL: 'http://id.example.com/me' }, ['USERINFO_URL']],
    ['a user in a URL', { TOKEN_URL: 'https://u:p@id.example.com/token' }, ['TOKEN_URL']],
    ['a query', { AUTHORIZATION_URL: 'https://id.example.com/authorize?x=1' }, ['AUTHORIZATION_URL']],
  ])('%s is refused at the start', (_, change, expected) => {
    expect(problemsOf(settingsFor('https://id.example.com', change))).toEqual(expected);
    expect(problemsOf(settingsFor('https://id.example.com'))).toEqual([]);
  });
});
