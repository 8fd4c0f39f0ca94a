/** Proves that a resource's own metadata (RFC 9728) decides which scopes can be requested, approved and issued. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, NATIVE, redeem, refresh, register } from '../support/client.ts';
import { type RunningServer, read, startServer } from '../support/running-server.ts';

const MCP = 'http://localhost:8080/mcp';

/** The MCP server of the test: its scopes, and whether it answers. */
const resource = { scopes: ['mcp:tools', 'mcp:admin'], isDown: false };
const says = (scopes: readonly string[], isDown = false) => Object.assign(resource, { scopes, isDown });
const fetch = (async (url: string) => {
  if (resource.isDown) throw new TypeError('fetch failed');
  expect(url).toBe('http://localhost:8080/.well-known/oauth-protected-resource/mcp');
  return Response.json({ resource: MCP, scopes_supported: resource.scopes });
}) as unknown as typeof globalThis.fetch;

const metadata = async (server: RunningServer) => read(await server.fetch('/.well-known/oauth-authorization-server'));
const tokensWith = async (server: RunningServer, client: { id: string; redirectUri: string }, scope?: string) => {
  const { code, answer } = await authorize(server, client, { scope });
  return code ? read(await redeem(server, client, code)) : Object.fromEntries(answer.searchParams);
};

describe('RFC 9728 §2 a scope that only the resource defines', () => {
  it('a scope of the resource is advertised, shown, granted and in the token, without a change here', async () => {
    says(['mcp:tools', 'reports:read']);
    await using server = await startServer({ fetch });
    expect((await metadata(server)).scopes_supported).toEqual([
      'openid',
      'offline_access',
      'mcp:tools',
      'reports:read',
    ]);
    const client = await register(server);
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:tools reports:read' }));
    expect(await page?.clone().text()).toContain('Use the permission <code>reports:read</code>');
    const { outside } = await browser.signIn(page, 'alice');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(tokens.scope).toBe('mcp:tools reports:read');
    expect(decodeJwt(String(tokens.access_token)).scope).toBe('mcp:tools reports:read');
  });

  it('a scope is shown with SCOPE_DESCRIPTIONS, and the resource with its resource_name', async () => {
    says(['mcp:tools', 'reports:read']);
    const named = (async (url: string) => {
      const body = (await (await fetch(url)).json()) as object;
      return Response.json({ ...body, resource_name: 'Reports of Acme' });
    }) as typeof globalThis.fetch;
    const page = async (env: Record<string, string> = {}) => {
      await using server = await startServer({ fetch: named, env });
      const shown = await new Browser(server).follow(authorizePath(await register(server), { scope: 'reports:read' }));
      return (await shown.page?.text()) ?? '';
    };
    const text = await page({ SCOPE_DESCRIPTIONS: '{"reports:read":"Read all reports"}' });
    expect(text).toContain('<li>Read all reports</li>');
    expect(text).toContain('to use <bdi>Reports of Acme</bdi>?');
    expect(text).toContain(MCP);
    const operators = JSON.stringify([{ url: 'http://localhost:8080', name: 'Our reports' }]);
    expect(await page({ RESOURCES: operators })).toContain('to use <bdi>Our reports</bdi>?');
  });

  it('a scope that the resource added is granted soon, and one that it removed is refused', async () => {
    says(['mcp:tools', 'old:one']);
    const clock = new FakeClock();
    await using server = await startServer({ fetch, clock });
    const client = await register(server, NATIVE);
    expect((await tokensWith(server, client, 'old:one')).scope).toBe('old:one');
    says(['mcp:tools', 'new:one']);
    clock.advance(30);
    expect((await tokensWith(server, client, 'new:one')).scope).toBe('new:one');
    expect((await tokensWith(server, client, 'old:one')).error).toBe('invalid_scope');
  });

  it('a new scope of the resource is in the metadata as soon as it is known', async () => {
    says([], true);
    const clock = new FakeClock();
    await using server = await startServer({ fetch, clock });
    const listed = async () => (await metadata(server)).scopes_supported as readonly string[];
    expect(await listed()).toContain('mcp:admin');
    says(['mcp:tools', 'new:one']);
    clock.advance(1);
    await listed();
    expect(await listed()).toEqual(['openid', 'offline_access', 'mcp:tools', 'new:one']);
    says(['mcp:tools', 'newer:one']);
    clock.advance(300);
    await listed();
    expect(await listed()).toEqual(['openid', 'offline_access', 'mcp:tools', 'newer:one']);
  });

  it('all scopes of a resource are the default where it has no mcp:tools', async () => {
    says(['notes:read', 'notes:write']);
    await using server = await startServer({ fetch });
    expect((await tokensWith(server, await register(server))).scope).toBe('notes:read notes:write');
  });

  it('scopes in RESOURCES replace those of the resource, which is then not asked', async () => {
    says([], true);
    const resources = [{ url: 'http://localhost:8080', scopes: { 'a:b': 'Do A', 'c:d': 'Do C' } }];
    await using server = await startServer({ fetch, env: { RESOURCES: JSON.stringify(resources) } });
    expect((await metadata(server)).scopes_supported).toEqual(['openid', 'offline_access', 'a:b', 'c:d']);
    expect((await tokensWith(server, await register(server))).scope).toBe('a:b');
    expect(server.log.filter(({ msg }) => msg === 'resource metadata could not be fetched')).toEqual([]);
  });
});

describe('an unreachable resource', () => {
  it('an unreachable resource does not prevent the start: the usual scopes are granted, and the log says why', async () => {
    says([], true);
    await using server = await startServer({ fetch });
    expect((await tokensWith(server, await register(server))).scope).toBe('mcp:tools');
    expect(server.log).toContainEqual(
      expect.objectContaining({
        msg: 'resource metadata could not be fetched',
        reason: 'http://localhost:8080/.well-known/oauth-protected-resource/mcp: fetch failed',
      }),
    );
  });

  it('RFC 6749 §6 an unreachable resource takes no scope from a token that is refreshed after a restart', async () => {
    says(['mcp:tools', 'reports:read']);
    const shared = createSqliteStore(':memory:', systemClock);
    const store = { ...shared, close: async () => undefined };
    await using before = await startServer({ fetch, store });
    const client = await register(before, NATIVE);
    const tokens = await tokensWith(before, client, 'mcp:tools reports:read');
    says([], true);
    await using after = await startServer({ fetch, store });
    const renewed = await read(await refresh(after, client, tokens.refresh_token));
    expect(decodeJwt(String(renewed.access_token)).scope).toBe('mcp:tools reports:read');
    const { answer } = await authorize(after, client, { scope: 'reports:read' });
    expect(answer.searchParams.get('error')).toBe('invalid_scope');
  });
});

describe('RFC 6749 §3.3 a client with a scope limit set by the operator', () => {
  const portal = { client_id: 'portal', redirect_uris: ['https://portal.example/callback'] };
  const client = { id: 'portal', redirectUri: 'https://portal.example/callback' };

  it('a client may be limited to a scope of the resource, and gets it as its default', async () => {
    says(['mcp:tools', 'reports:read']);
    const env = { CLIENTS: JSON.stringify([{ ...portal, scope: 'reports:read' }]) };
    await using server = await startServer({ fetch, env });
    expect((await tokensWith(server, client)).scope).toBe('reports:read');
    expect((await tokensWith(server, client, 'mcp:tools reports:read')).scope).toBe('reports:read');
    expect((await tokensWith(server, client, 'mcp:tools')).error).toBe('invalid_scope');
  });

  it('a client cannot set its own scope limit', async () => {
    says(['mcp:tools', 'mcp:admin']);
    await using server = await startServer({ fetch });
    const other = await register(server, undefined, { scope_bound: 'mcp:tools', scope: 'mcp:tools' });
    expect((await tokensWith(server, other, 'mcp:admin')).scope).toBe('mcp:admin');
  });
});
