/** Proves RFC 8707: which `resource` at which step results in which audience and scope. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorize, NATIVE, redeem, refresh, register, type TestClient, VERIFIER } from '../support/client.ts';
import { type RunningServer, read, startServer } from '../support/running-server.ts';

const A = 'http://localhost:8080';
const B = 'https://other.example';

let server: RunningServer;
let client: TestClient;
beforeAll(async () => {
  server = await startServer({ env: { RESOURCES: `${A},${B}` } });
  client = await register(server);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Through code and refresh; the audience at each step, or the error. */
async function audiences(atAuthorize?: string, atToken?: string, atRefresh = atToken, scope?: string) {
  const { code, answer } = await authorize(server, client, { resource: atAuthorize, scope });
  if (!code) return [answer.searchParams.get('error')];
  const first = await read(await redeem(server, client, code, { resource: atToken }));
  if (first.error) return [first.error];
  const second = await read(await refresh(server, client, first.refresh_token, { resource: atRefresh }));
  return [first, second].map((tokens) => tokens.error ?? decodeJwt(String(tokens.access_token)).aud);
}

describe('RFC 8707 §2 one resource under several names', () => {
  const both = [`${A}/mcp`, `${A}/mcp`];
  it.each([
    ['none at all: the default', undefined, undefined],
    ['the canonical one', `${A}/mcp`, `${A}/mcp`],
    ['only when authorizing', `${A}/mcp`, undefined],
    ['only for the token', undefined, `${A}/mcp`],
    ['the address of HTTP+SSE', `${A}/sse`, `${A}/sse`],
    ['the origin', A, A],
    ['the origin with a slash', `${A}/`, `${A}/`],
    ['a slash at the end', `${A}/mcp/`, `${A}/mcp/`],
    ['an upper-case host', 'http://LOCALHOST:8080/mcp', 'http://LOCALHOST:8080/mcp'],
    ['with and without slash', `${A}/mcp/`, `${A}/mcp`],
    ['without and with slash', `${A}/mcp`, `${A}/mcp/`],
    ['different names at the two steps', `${A}/sse`, A],
  ])('one audience results when the resource is given as %s', async (_, atAuthorize, atToken) => {
    expect(await audiences(atAuthorize, atToken)).toEqual(both);
  });

  it('a resource of another server is its own audience', async () => {
    expect(await audiences(`${B}/mcp`, undefined)).toEqual([`${B}/mcp`, `${B}/mcp`]);
  });
});

describe('RFC 8707 §2.2 an ungranted resource', () => {
  it.each([`${B}/mcp`, 'https://evil.example', `${A}/mcp#x`, 'nonsense'])(
    'the ungranted resource %s at /token is invalid_target',
    async (resource) => {
      expect(await audiences(`${A}/mcp`, resource)).toEqual(['invalid_target']);
    },
  );

  it('the error at /token says which resource was expected', async () => {
    for (const resource of [`${B}/mcp`, 'nonsense']) {
      const { code } = await authorize(server, client, { resource: `${A}/sse` });
      const refused = await read(await redeem(server, client, code, { resource }));
      expect(refused).toEqual({ error: 'invalid_target', error_description: `resource must be ${A}/sse` });
    }
  });

  it('an ungranted resource beside a granted one is refused: a token has one audience', async () => {
    const { code } = await authorize(server, client, { resource: `${A}/mcp` });
    const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: client.id, code });
    for (const [name, value] of Object.entries({ redirect_uri: client.redirectUri, code_verifier: VERIFIER })) {
      body.append(name, value);
    }
    for (const resource of [`${A}/mcp`, `${B}/mcp`]) body.append('resource', resource);
    const answer = await read(await server.fetch('/token', { method: 'POST', body }));
    expect(answer.error).toBe('invalid_target');
  });

  it('an ungranted resource at a refresh is invalid_target, and the refresh token stays valid', async () => {
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    for (const resource of [`${B}/mcp`, 'https://evil.example']) {
      const refused = await read(await refresh(server, client, tokens.refresh_token, { resource }));
      expect(refused).toMatchObject({
        error: 'invalid_target',
        error_description: expect.stringContaining(`${A}/mcp`),
      });
    }
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200);
  });
});

describe('RFC 6749 §3.3 scope', () => {
  it.each([
    ['none: the default one', undefined, 'mcp:tools'],
    ['known ones', 'mcp:tools mcp:admin', 'mcp:tools mcp:admin'],
    ['OpenID ones that are not known: the default one', 'openid profile email', 'mcp:tools'],
    ['blanks around them: the known', ' mcp:admin ', 'mcp:admin'],
    ['known and unknown ones: the known', 'mcp:admin nonsense', 'mcp:admin'],
    ['only OpenID ones: the default one too', 'openid', 'mcp:tools'],
  ])('the granted scope follows the request: %s', async (_, scope, granted) => {
    const { code } = await authorize(server, client, { scope });
    const tokens = await read(await redeem(server, client, code));
    expect(decodeJwt(String(tokens.access_token)).scope).toBe(granted);
    expect(tokens.scope).toBe(granted);
  });

  it('a request with only unknown scopes is refused, and the error names the known ones', async () => {
    const { answer } = await authorize(server, await register(server, NATIVE), { scope: 'claudeai' });
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({
      error: 'invalid_scope',
      error_description: expect.stringContaining('mcp:tools mcp:admin'),
      state: 'the-state',
      iss: server.issuer,
    });
  });

  it('RFC 6749 §6 a narrower scope at a refresh applies to that token only, and a wider one is refused harmlessly', async () => {
    const { code } = await authorize(server, client, { scope: 'mcp:tools mcp:admin' });
    const tokens = await read(await redeem(server, client, code));
    const narrow = await read(await refresh(server, client, tokens.refresh_token, { scope: 'mcp:tools' }));
    expect(narrow.scope).toBe('mcp:tools');
    const full = await read(await refresh(server, client, narrow.refresh_token));
    expect(full.scope).toBe('mcp:tools mcp:admin');
    const wide = await read(await refresh(server, client, full.refresh_token, { scope: 'mcp:tools mcp:root' }));
    expect(wide.error).toBe('invalid_scope');
    expect((await refresh(server, client, full.refresh_token)).status).toBe(200);
  });
});
