/**
 * Proves that `explain-client` finds every fault of an authorization URL as the server with the same settings does, names the mend,
 * and stores nothing.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { authorizePath, register } from '../support/client.ts';
import { checkOf, type Explained, startExplained } from '../support/explained.ts';
import { MCP, read } from '../support/running-server.ts';

let stage: Explained;
beforeEach(async (context) => {
  stage = await startExplained();
  context.onTestFinished(() => stage[Symbol.asyncDispose]());
});
const explain: Explained['explain'] = (...given) => stage.explain(...given);
const told: Explained['told'] = (...given) => stage.told(...given);
const urlOf = (path: string) => `http://localhost:9000${path}`;

describe('explain-client with an authorization URL', () => {
  it('explain-client accepts the URL of a client that is right', async () => {
    const client = await register(stage.server);
    const explained = await told(['--url', urlOf(authorizePath(client, { resource: MCP, scope: 'mcp:tools' }))]);
    expect(explained).toMatchObject({ status: 0, accepted: true });
    expect(explained.checks.map(({ check }) => check)).toEqual([
      'address',
      'client',
      'redirect URI',
      'response type',
      'PKCE',
      'other parameters',
      'resource',
      'scope',
      'request as a whole',
    ]);
  });

  it.each([
    ['response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['response type', { response_type: undefined }, 'invalid_request'],
    ['PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['other parameters', { prompt: 'dance' }, 'invalid_request'],
    ['resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
    ['scope', { scope: 'files:read' }, 'invalid_scope'],
  ])('explain-client finds exactly the fault in %s of %j', async (name, change, error) => {
    const client = await register(stage.server);
    const explained = await told(['--url', urlOf(authorizePath(client, change))]);
    const refused = explained.checks.filter(({ result }) => result === 'refused');
    expect(refused).toMatchObject([{ check: name, error, mend: expect.any(String) }]);
    expect(explained.status).toBe(1);
  });

  it('explain-client finds all faults of one URL', async () => {
    const client = await register(stage.server);
    const change = { response_type: 'token', code_challenge: 'short', resource: 'https://other.example' };
    const explained = await told(['--url', urlOf(authorizePath(client, change))]);
    const refused = explained.checks.filter(({ result }) => result === 'refused').map(({ check }) => check);
    expect(refused).toEqual(['response type', 'PKCE', 'resource']);
  });

  it('RFC 6749 §3.1 explain-client finds a repeated parameter', async () => {
    const path = authorizePath(await register(stage.server));
    for (const [extra, check] of [
      ['redirect_uri=x', 'redirect URI'],
      ['client_id=x', 'other parameters'],
    ]) {
      const explained = await told(['--url', `${urlOf(path)}&${extra}`]);
      expect(checkOf(explained, check ?? '')).toMatchObject({ result: 'refused', turn: 'client' });
    }
  });

  it('RFC 8414 §2 explain-client refuses a URL of another server, and names ISSUER', async () => {
    const path = authorizePath(await register(stage.server));
    const explained = await told(['--url', `https://idp.example${path}`]);
    expect(checkOf(explained, 'address')).toMatchObject({ expected: urlOf('/authorize'), setting: 'ISSUER' });
  });

  it('RFC 8414 §3.1 explain-client works for an issuer with a path', async () => {
    const env = { ISSUER: 'https://auth.example.com/tenant', NODE_ENV: 'development' };
    const url = `https://auth.example.com/tenant${authorizePath({ id: 'portal', redirectUri: 'https://portal.example/cb' })}`;
    expect(await told(['--url', url], env)).toMatchObject({ status: 0, accepted: true });
  });

  it('OpenID Connect Core §3.1.2.6 explain-client accepts prompt=none, and says what it gets', async () => {
    const client = await register(stage.server);
    const explained = await told(['--url', urlOf(authorizePath(client, { prompt: 'none' }))]);
    expect(explained.accepted).toBe(true);
    expect(checkOf(explained, 'request as a whole')?.note).toContain('prompt=none');
  });

  it('RFC 9126 §4 explain-client leaves a pushed request usable', async () => {
    const { id, redirectUri } = await register(stage.server);
    const { searchParams } = new URL(urlOf(authorizePath({ id, redirectUri })));
    const pushed = await read(await stage.server.fetch('/par', { method: 'POST', body: searchParams }));
    const path = `/authorize?${new URLSearchParams({ client_id: id, request_uri: String(pushed.request_uri) })}`;
    expect(await told(['--url', urlOf(path)])).toMatchObject({ accepted: true });
    expect((await stage.server.fetch(path)).status).toBe(303);
  });

  it('explain-client shows no value of parameters that may name a person or contain a token', async () => {
    const client = await register(stage.server);
    const { stdout } = await explain([
      '--url',
      urlOf(authorizePath(client, { login_hint: 'ann@example.com', request: 'e.y.J' })),
    ]);
    expect(stdout).toContain('login_hint');
    for (const value of ['ann@example.com', 'e.y.J', 'the-state']) expect(stdout).not.toContain(value);
  });
});

describe('the command line of explain-client', () => {
  it.each([
    [[], 'name one of'],
    [['a', 'b'], 'name one of'],
    [['a', '--url', 'https://as.example/authorize'], 'name one of'],
    [['--url', 'nonsense'], '--url must be the whole URL'],
    [['--url', 'https://as.example/authorize', '--scope', 'x'], 'does not go with --scope'],
    [['--registration', '/nowhere/r.json'], "can't be read (ENOENT)"],
  ])('explain-client %j ends with 2 and says why', async (words, reason) => {
    const { status, stderr } = await explain(words);
    expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
  });
});
