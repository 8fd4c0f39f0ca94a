/**
 * Proves that several MCP servers fit on one host, each below its own path, beside their auth-server: behind a proxy that keeps
 * the path and behind one that removes it, with the real clients.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientState } from '../support/client-state.ts';
import { drivers } from '../support/drivers.ts';
import { gateway } from '../support/gateway.ts';
import { initialize, OAuthClient, postJson, REDIRECT_URI, send } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Run, type Stack } from '../support/stack.ts';

const below = (path: string) =>
  new RegExp(`^(${path}|/\\.well-known/oauth-(protected-resource|authorization-server)${path})([/?]|$)`);

const SERVERS = [
  { path: '/tools', proxy: 'a proxy that keeps the path', isRemoved: false },
  { path: '/eu/docs', proxy: 'a proxy that removes the path', isRemoved: true },
] as const;

describe('RFC 9728 §3.1 MCP servers with a path at one host', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-e2e-'));
  let proxy: TestServer;
  let runs: readonly Run[] = [];

  beforeAll(async () => {
    const [auth, idp, ...ports] = await freePorts(4);
    proxy = await gateway((path) => {
      const index = SERVERS.findIndex((server) => below(server.path).test(path));
      const server = SERVERS[index];
      if (!server) return auth;
      const isOwn = server.isRemoved && path.startsWith(server.path);
      return { port: ports[index], path: isOwn ? path.slice(server.path.length) || '/' : path };
    });
    const env = {
      ISSUER: proxy.url,
      RESOURCES: SERVERS.map(({ path }) => proxy.url + path).join(),
      DEVELOPMENT_IDP_URL: `http://localhost:${idp}`,
      DATA_DIR: dataDir,
      REGISTRATION_LIMIT: '1000',
    };
    runs = [
      new Run({ ...env, PORT: String(auth) }, 'auth-server/src/main.ts'),
      new Run(env, 'development-idp/src/main.ts'),
      ...SERVERS.map(
        ({ path }, index) =>
          new Run({ ...env, PUBLIC_URL: proxy.url + path, PORT: String(ports[index]) }, 'mcp-server/src/main.ts'),
      ),
    ];
    await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await proxy?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const cases = SERVERS.flatMap((server) => drivers.map((driver) => ({ ...server, driver, client: driver.name })));

  it.each(cases)('$client signs in and calls a tool at $path, behind $proxy', async ({ path, driver }) => {
    const url = new URL(proxy.url + path + driver.path);
    const state = new ClientState(REDIRECT_URI);
    await expect(driver.connect(url, state)).rejects.toSatisfy(driver.isUnauthorized);
    const answer = await new Person().signIn(state.takeAuthorizationUrl(), REDIRECT_URI);
    await driver.finish(url, state, answer);
    const connected = await driver.connect(url, state);
    expect(await connected.call('whoami', {})).toMatchObject({ isError: false });
    expect((await connected.call('sum', { a: 1, b: 2 })).text).toContain('3');
    await connected.close();
  });

  it.each(SERVERS)(
    '$path has its own metadata where the path is inserted, and the challenge names it',
    async ({ path }) => {
      for (const endpoint of ['/mcp', '/sse']) {
        const resource = proxy.url + path + endpoint;
        const document = `${proxy.url}/.well-known/oauth-protected-resource${path}${endpoint}`;
        const refused = await postJson(resource, initialize());
        expect(refused.status).toBe(401);
        expect(refused.headers.get('www-authenticate')).toContain(`resource_metadata="${document}"`);
        expect((await send(document)).json).toMatchObject({ resource, authorization_servers: [proxy.url] });
      }
      expect((await send(`${proxy.url}/.well-known/oauth-protected-resource${path}`)).json).toMatchObject({
        resource: proxy.url + path,
      });
    },
  );

  it('RFC 8707 §2 a token for one path is refused at the other', async () => {
    const [here, there] = SERVERS.map(({ path }) => proxy.url + path);
    const client = await OAuthClient.register({ authUrl: proxy.url, mcpUrl: here } as Stack);
    const { access_token: token } = await client.tokens({ resource: `${here}/mcp`, scope: 'mcp:tools' });
    expect(decodeJwt(token).aud).toBe(`${here}/mcp`);
    const authorization = { authorization: `Bearer ${token}` };
    expect((await postJson(`${here}/mcp`, initialize(), authorization)).status).toBe(200);
    const refused = await postJson(`${there}/mcp`, initialize(), authorization);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('the sign-in page tells the two servers of one host apart', async () => {
    const shown = await Promise.all(
      SERVERS.map(async ({ path }) => {
        const client = await OAuthClient.register({ authUrl: proxy.url, mcpUrl: proxy.url + path } as Stack);
        const page = await new Person().open(
          client.authorizationUrl({ resource: `${proxy.url}${path}/mcp`, scope: 'mcp:tools' }),
          REDIRECT_URI,
        );
        return page instanceof URL ? '' : page.body.includes(`${proxy.url}${path}/mcp`);
      }),
    );
    expect(shown).toEqual([true, true]);
  });

  it('the page of each server is at its path', async () => {
    for (const { path } of SERVERS) {
      for (const url of [proxy.url + path, `${proxy.url + path}/`]) {
        const page = await fetch(url, { headers: { accept: 'text/html' } });
        expect(page.status).toBe(200);
        expect(await page.text()).toContain(`${proxy.url + path}/mcp`);
      }
    }
  });
});
