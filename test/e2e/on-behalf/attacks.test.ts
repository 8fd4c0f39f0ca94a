/**
 * Proves at the running services that nobody gets a token of somebody else's account: whose token may be exchanged by whom for what,
 * what a copied record is worth, and that no token is in a log.
 */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialize, postJson, send } from '../../support/oauth-client.ts';
import { type Caller, connect, exchange, signedIn } from './callers.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let alice: Caller;
let bob: Caller;

/** The link at which somebody connects an account, as the exchange gives it. */
async function linkFor({ token }: Caller, audience = 'github'): Promise<string> {
  const { json, text } = await exchange(world, { subject_token: token, audience });
  if (json.error !== 'interaction_required') throw new Error(text);
  return String(json.interaction_uri);
}

beforeAll(async () => {
  if (!hasRedis) return;
  world = await startWorld({ names: ['Alice', 'Bob', 'Carol'] });
  [alice, bob] = [await signedIn(world, 'Alice'), await signedIn(world, 'Bob')];
  for (const [id, caller] of [alice, bob].entries()) {
    world.github.user = { id: id + 1, login: `${caller.name}-at-github` };
    await connect(caller.person, await linkFor(caller), new RegExp(caller.name));
  }
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

const upstreamToken = async ({ token }: Caller): Promise<unknown> =>
  (await exchange(world, { subject_token: token, audience: 'github' })).json.access_token;

async function stranger() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', kid: world.key.kid };
}

describe('RFC 8693 an exchange for the token of an upstream', () => {
  it('RFC 8693 §2.2.1 an exchange gives an access token, its type and scopes, and never a refresh token', async () => {
    const { status, json, headers } = await exchange(world, { subject_token: alice.token, audience: 'github' });
    expect(status).toBe(200);
    expect(json).toEqual({
      access_token: expect.stringMatching(/^gho_/),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      scope: 'repo',
    });
    expect(headers.get('cache-control')).toContain('no-store');
  });

  it("each person's access token leads to that person's account, and to no other", async () => {
    const [hers, his] = [await upstreamToken(alice), await upstreamToken(bob)];
    expect(new Set([hers, his, await upstreamToken(alice)]).size).toBe(2);
    const who = async (token: unknown) =>
      (await send(`${world.github.url}/api/user`, { headers: { authorization: `Bearer ${token}` } })).json.login;
    expect([await who(hers), await who(his)]).toEqual(['Alice-at-github', 'Bob-at-github']);
  });

  it.each([
    ['without the key of the client', async () => ({ key: null }), {}, 'invalid_client'],
    ['with a key that is not that of the client', async () => ({ key: await stranger() }), {}, 'invalid_client'],
    [
      'by another client of the operator',
      async () => ({ client: 'stranger', key: world.strangerKey }),
      {},
      'invalid_target',
    ],
    ['for a connector that the policy does not name', async () => ({}), { audience: 'acme' }, 'invalid_target'],
    ['for a connector that does not exist', async () => ({}), { audience: 'nothing' }, 'invalid_target'],
    ['with an actor_token', async () => ({}), { actor_token: 'x' }, 'invalid_request'],
    ['of an access token that was changed', async () => ({}), { subject_token: 'changed' }, 'invalid_request'],
    [
      'of an id token or another type',
      async () => ({}),
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'invalid_request',
    ],
    [
      'for a refresh token of the upstream',
      async () => ({}),
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
  ])('RFC 8693 §2.2.2 an exchange %s is refused', async (_, options, changes, error) => {
    const parameters = { subject_token: alice.token, audience: 'github', ...changes };
    if (parameters.subject_token === 'changed') parameters.subject_token = `${alice.token.slice(0, -4)}AAAA`;
    const { status, json } = await exchange(world, parameters, await options());
    expect({ status: Math.floor(status / 100), error: json.error }).toEqual({ status: 4, error });
    expect(json).not.toHaveProperty('access_token');
  });

  it('RFC 8693 §2.2.2 an access token for another MCP server is refused', async () => {
    const { token } = await signedIn(world, 'Alice', { resource: `${world.billing}/mcp` }, `${world.billing}/mcp`);
    expect(decodeJwt(token).aud).toBe(`${world.billing}/mcp`);
    const { json } = await exchange(world, { subject_token: token, audience: 'github' });
    expect(json).toMatchObject({ error: 'invalid_request' });
  });

  it('RFC 8693 §2.2.2 an access token whose approval has ended is refused, although it has not expired', async () => {
    const carol = await signedIn(world, 'Carol');
    await carol.client.post('/revoke', { token: carol.refreshToken });
    const { json } = await exchange(world, { subject_token: carol.token, audience: 'github' });
    expect(json).toMatchObject({ error: 'invalid_request' });
  });

  it('MCP 2025-11-25 "Token Passthrough": mcp-server accepts no token of the upstream, and no exchange gives one to a client', async () => {
    const token = String(await upstreamToken(alice));
    const { status } = await postJson(`${world.stack.mcpUrl}/mcp`, initialize(), { authorization: `Bearer ${token}` });
    expect(status).toBe(401);
    const { json } = await alice.client.token({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: alice.token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'github',
    });
    expect(json).toMatchObject({ error: 'unauthorized_client' });
  });
});

describe('the link at which a person connects an account', () => {
  it('MCP 2026-07-28 elicitation: a link that another person opens connects nothing, and stays good for its own person', async () => {
    const carol = await signedIn(world, 'Carol');
    const link = await linkFor(carol);
    world.github.user = { id: 99, login: 'victim' };
    const page = await connect(bob.person, link, /Bob/);
    expect(page.status).toBe(403);
    expect(page.body).toContain('This link is for another account');
    expect((await exchange(world, { subject_token: carol.token, audience: 'github' })).json.error).toBe(
      'interaction_required',
    );
    world.github.user = { id: 3, login: 'carol-at-github' };
    expect((await connect(carol.person, link, /Carol/)).body).toContain('carol-at-github');
    expect((await connect(carol.person, link, /Carol/)).status, 'a second use').toBe(410);
  });
});

describe('CWE-639 a record of the store', () => {
  it("CWE-639 a connection that somebody copied into another person's record opens for nobody", async () => {
    const target = redisUrl().parse(world.redis.url);
    const store = openRedis({ target, name: 'test', log: createLogger('test', 'silent') });
    await whenReady(store);
    const keys = await store.keys('as:v1:UpstreamSession:github:*');
    const keyOf = (caller: Caller) => keys.find((key) => key.endsWith(String(decodeJwt(caller.token).sub))) ?? '';
    const his = await store.hgetall(keyOf(bob));
    const hers = await store.hgetall(keyOf(alice));
    expect(JSON.stringify([his, hers])).not.toMatch(/gho_/);
    await store.hset(keyOf(bob), hers);
    const { json } = await exchange(world, { subject_token: bob.token, audience: 'github' });
    await store.hset(keyOf(bob), his);
    store.disconnect();
    expect(json).not.toHaveProperty('access_token');
    expect(json.error).toBe('interaction_required');
    expect(await upstreamToken(bob)).toMatch(/^gho_/);
  });
});

describe('CWE-532 the logs', () => {
  it('CWE-532 no token of an upstream and no access token is in a log, nor readable in Redis', async () => {
    await alice.session.call('github_profile', {});
    const written = world.output();
    expect(world.github.issued.filter((token) => written.includes(token))).toEqual([]);
    expect([alice, bob].filter(({ token }) => written.includes(token.split('.')[2] ?? ''))).toEqual([]);
    expect(written).not.toContain(world.key.d);
    expect(written).not.toContain(world.github.clientSecret);
  });
});
