/**
 * Proves that a refresh answers `invalid_grant` when only a new sign-in can help (RFC 6749 §5.2), and another error
 * when another request can. Each server of a test starts with other settings on the same store.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import {
  authorize,
  authorizePath,
  redeem,
  refresh,
  register,
  type TestClient,
  tokensFor,
  WEB,
} from '../../support/client.ts';
import { json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const A = 'https://a.example/mcp';
const B = 'https://b.example/mcp';
const PORTAL: TestClient = { id: 'portal', redirectUri: WEB };

const sharedStore = (): RecordStore => ({
  ...createSqliteStore(':memory:', systemClock),
  close: async () => undefined,
});
const start = (store: RecordStore, resources: readonly object[], clients: readonly object[] = []) =>
  startServer({ store, env: { RESOURCES: JSON.stringify(resources), CLIENTS: JSON.stringify(clients) } });
const at = (url: string, more: object = {}) => ({
  url: new URL(url).origin,
  scopes: { 'mcp:tools': 'Tools' },
  ...more,
});
const error = async (response: Promise<Response>) => {
  const { status } = await response;
  return [status, (await read(await response)).error];
};
const claims = async (response: Response) => decodeJwt(String((await read(response)).access_token));
const lost = [400, 'invalid_grant'];

/** A refresh token of a server with these settings, and a server with other settings on the same store. */
async function changed(
  before: Parameters<typeof start>[1],
  after: Parameters<typeof start>[1],
  parameters: Record<string, string> = {},
) {
  const store = sharedStore();
  await using first = await start(store, before);
  const client = await register(first);
  const { refresh_token: token } = await tokensFor(first, client, parameters);
  const server = await start(store, after);
  const again = (more: Record<string, string> = {}, on: RunningServer = server) => refresh(on, client, token, more);
  return { store, server, again, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('RFC 6749 §5.2 a refresh token for a removed resource', () => {
  it.each([
    ['without resource', {}],
    ['with the old name', { resource: B }],
    ['with the new name', { resource: A }],
    ['with an unknown name', { resource: 'https://c.example/mcp' }],
  ])('a refresh token of a removed resource is invalid_grant %s, and stays unused', async (_, parameters) => {
    await using change = await changed([at(A), at(B)], [at(A)], { resource: B });
    expect(await error(change.again(parameters))).toEqual(lost);
    expect(JSON.stringify(change.server.log)).toContain(`the resource ${B} is no longer known`);
    await using back = await start(change.store, [at(A), at(B)]);
    expect((await claims(await change.again({}, back))).aud).toBe(B);
  });

  it('a refresh token is invalid_grant where the only resource has been renamed', async () => {
    await using change = await changed([at(A)], [at(B)]);
    const scope = 'mcp:tools mcp:new';
    for (const parameters of [{}, { resource: A }, { resource: B }, { scope }, { resource: B, scope }]) {
      expect(await error(change.again(parameters))).toEqual(lost);
    }
  });

  it('a refresh token stays valid where the old name stays an identifier of the resource', async () => {
    await using change = await changed([at(A)], [at(B, { identifiers: [B, A] })]);
    for (const parameters of [{}, { resource: A }, { resource: B }]) {
      expect((await claims(await change.again(parameters))).aud).toBe(B);
    }
  });

  it('a refresh token stays valid while one of the names that it was granted under remains', async () => {
    const store = sharedStore();
    const old = 'https://a.example/old';
    await using before = await start(store, [at(A, { identifiers: [A, old] })]);
    const client = await register(before);
    const browser = new Browser(before);
    const { page } = await browser.follow(`${authorizePath(client)}&resource=${old}&resource=${A}`);
    const { outside } = await browser.signIn(page, 'alice');
    const code = outside?.searchParams.get('code') ?? '';
    const { refresh_token: token } = await read(await redeem(before, client, code));
    await using after = await start(store, [at(A)]);
    for (const parameters of [{}, { resource: old }, { resource: A }]) {
      expect((await claims(await refresh(after, client, token, parameters))).aud).toBe(A);
    }
  });

  it('RFC 8707 §2.2 a refresh token is invalid_target when another known resource is requested', async () => {
    await using change = await changed([at(A), at(B)], [at(A), at(B)], { resource: B });
    expect(await error(change.again({ resource: A }))).toEqual([400, 'invalid_target']);
    expect((await change.again({ resource: B })).status).toBe(200);
  });

  it('a code for a removed resource is invalid_grant', async () => {
    const store = sharedStore();
    await using before = await start(store, [at(A), at(B)]);
    const client = await register(before);
    const { code } = await authorize(before, client, { resource: B });
    await using after = await start(store, [at(A)]);
    expect(await error(redeem(after, client, code))).toEqual(lost);
  });
});

describe('RFC 6749 §5.2 a refresh token whose scopes were removed', () => {
  const scopes = (...names: string[]) => [at(A, { scopes: Object.fromEntries(names.map((name) => [name, name])) })];

  it('a refresh token is invalid_grant where none of its scopes remains', async () => {
    await using change = await changed(scopes('mcp:tools', 'old:one'), scopes('mcp:tools'), { scope: 'old:one' });
    for (const scope of ['', 'old:one', 'mcp:tools', 'old:one mcp:tools', 'openid']) {
      expect([scope, ...(await error(change.again({ scope })))]).toEqual([scope, ...lost]);
    }
  });

  it('a request for a scope that was not granted is invalid_scope, and the refresh token stays valid', async () => {
    await using change = await changed(scopes('mcp:tools', 'mcp:admin'), scopes('mcp:tools', 'mcp:admin'), {
      scope: 'mcp:tools',
    });
    expect(await error(change.again({ scope: 'mcp:admin' }))).toEqual([400, 'invalid_scope']);
    expect((await change.again()).status).toBe(200);
  });

  it('a refresh yields the remaining scopes, also when all are requested', async () => {
    for (const parameters of [{}, { scope: 'mcp:tools old:one' }]) {
      await using change = await changed(scopes('mcp:tools', 'old:one'), scopes('mcp:tools'), {
        scope: 'mcp:tools old:one',
      });
      expect((await claims(await change.again(parameters))).scope).toBe('mcp:tools');
    }
  });

  it('RFC 6749 §6 a request for only the removed scope is invalid_scope where others remain', async () => {
    await using change = await changed(scopes('mcp:tools', 'old:one'), scopes('mcp:tools'), {
      scope: 'mcp:tools old:one',
    });
    expect(await error(change.again({ scope: 'old:one' }))).toEqual([400, 'invalid_scope']);
    expect((await change.again()).status).toBe(200);
  });

  it.each([
    ['narrowed to nothing that was granted', 'mcp:admin', undefined],
    ['narrowed to a part', 'mcp:tools', 'mcp:tools'],
  ])('a refresh follows the scope of a client that its operator has %s', async (_, scope, left) => {
    const store = sharedStore();
    const both = [at(A, { scopes: { 'mcp:tools': 'Tools', 'mcp:admin': 'Admin', 'mcp:more': 'More' } })];
    const portal = { client_id: PORTAL.id, redirect_uris: [WEB] };
    await using before = await start(store, both, [portal]);
    const { refresh_token: token } = await tokensFor(before, PORTAL, { scope: 'mcp:tools mcp:more' });
    await using after = await start(store, both, [{ ...portal, scope }]);
    const response = refresh(after, PORTAL, token);
    if (left === undefined) expect(await error(response)).toEqual(lost);
    else expect((await claims(await response)).scope).toBe(left);
  });
});

describe('RFC 6749 §5.2 a refresh token that is no longer valid', () => {
  it('a refresh token of a client that lost refresh_token in CLIENTS is invalid_grant', async () => {
    const store = sharedStore();
    const portal = { client_id: PORTAL.id, redirect_uris: [WEB] };
    await using before = await start(store, [at(A)], [portal]);
    const { refresh_token: token } = await tokensFor(before, PORTAL);
    await using after = await start(store, [at(A)], [{ ...portal, grant_types: ['authorization_code'] }]);
    expect(await error(refresh(after, PORTAL, token))).toEqual(lost);
    expect(await tokensFor(after, PORTAL)).not.toHaveProperty('refresh_token');
  });

  it('a refresh token of a client that gave up refresh_token by RFC 7592 is invalid_grant', async () => {
    await using server = await startServer({ env: { REGISTRATION_MANAGEMENT: 'true' } });
    const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'none' };
    const registered = await read(await server.fetch('/register', json(metadata)));
    const client = { id: String(registered.client_id), redirectUri: WEB };
    const { refresh_token: token } = await tokensFor(server, client);
    const changed = { ...metadata, client_id: client.id, grant_types: ['authorization_code'] };
    const put = await server.fetch(String(registered.registration_client_uri), {
      ...json(changed, { authorization: `Bearer ${registered.registration_access_token}` }),
      method: 'PUT',
    });
    expect(put.status).toBe(200);
    expect(await error(refresh(server, client, token))).toEqual(lost);
  });

  it.each(['Account', 'Grant'])('a refresh token whose %s was deleted is invalid_grant', async (kind) => {
    const written = new Set<string>();
    const store = sharedStore();
    const put: RecordStore['put'] = (name, id, ...rest) => {
      if (name === kind) written.add(id);
      return store.put(name, id, ...rest);
    };
    const putIfAbsent: RecordStore['putIfAbsent'] = (name, id, ...rest) => {
      if (name === kind) written.add(id);
      return store.putIfAbsent(name, id, ...rest);
    };
    await using server = await start({ ...store, put, putIfAbsent }, [at(A)]);
    const client = await register(server);
    const { refresh_token: token } = await tokensFor(server, client);
    expect(written.size).toBeGreaterThan(0);
    for (const id of written) await store.delete(kind, id);
    expect(await error(refresh(server, client, token))).toEqual(lost);
  });

  it('a refresh token of a deleted client is invalid_client, so that the client registers again', async () => {
    const store = sharedStore();
    await using server = await start(store, [at(A)]);
    const client = await register(server);
    const { refresh_token: token } = await tokensFor(server, client);
    await store.delete('Client', client.id);
    await using other = await start(store, [at(A)]);
    expect(await error(refresh(other, client, token))).toEqual([401, 'invalid_client']);
  });
});
