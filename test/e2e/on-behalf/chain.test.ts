/**
 * Proves that a tool calls a tool of another MCP server for the person (RFC 8693 §4.1): what the second server learns, that its token
 * is bound to the key of the first, and that it ends with the approval.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialize, postJson, REDIRECT_URI, send } from '../../support/oauth-client.ts';
import { type Caller, connect, exchange, resultOf, signedIn, textOf } from './callers.ts';
import { EXCHANGE_CLIENT, startWorld, type World } from './world.ts';

let world: World;
let alice: Caller;

beforeAll(async () => {
  if (!hasRedis) return;
  world = await startWorld({ names: ['Alice', 'Bob', 'Carol'] });
  alice = await signedIn(world, 'Alice');
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

/** A new key, and a proof of it for the token endpoint. */
async function proof(): Promise<Record<string, string>> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const { kty = '', crv = '', x = '', y = '' } = await exportJWK(publicKey);
  const dpop = await new SignJWT({ htm: 'POST', htu: `${world.stack.authUrl}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })
    .setIssuedAt()
    .sign(privateKey);
  return { dpop };
}

describe('RFC 8693 §4.1 a tool that calls a tool of another MCP server', () => {
  it('RFC 8693 §4.1 the second server sees the person, the scopes that the policy leaves, and who acts', async () => {
    const { result } = resultOf(await alice.session.call('ask_billing', {}));
    const told = JSON.parse(result.content[0].text).result.structuredContent;
    expect(told).toMatchObject({ subject: decodeJwt(alice.token).sub, client: EXCHANGE_CLIENT, scopes: ['mcp:tools'] });
    expect(Date.parse(told.expires_at) / 1000).toBeLessThanOrEqual(Number(decodeJwt(alice.token).exp));
  });

  it('RFC 9449 §5 its token is bound to the key of the first server, and never a bearer token', async () => {
    const { json } = await exchange(
      world,
      { subject_token: alice.token, resource: `${world.billing}/mcp` },
      { headers: await proof() },
    );
    expect(json).toMatchObject({ token_type: 'DPoP', scope: 'mcp:tools' });
    const token = String(json.access_token);
    expect(decodeJwt(token)).toMatchObject({
      act: { sub: EXCHANGE_CLIENT },
      aud: `${world.billing}/mcp`,
      cnf: { jkt: expect.any(String) },
    });
    for (const scheme of ['Bearer', 'DPoP']) {
      const answer = await postJson(`${world.billing}/mcp`, initialize(), { authorization: `${scheme} ${token}` });
      expect([scheme, answer.status]).toEqual([scheme, 401]);
    }
    const { status } = await postJson(`${world.stack.mcpUrl}/mcp`, initialize(), { authorization: `Bearer ${token}` });
    expect(status, 'at the first server').toBe(401);
  });

  it('RFC 8693 §1.1 the token of a chain is exchanged no further than the policy says', async () => {
    const { json } = await exchange(
      world,
      { subject_token: alice.token, resource: `${world.billing}/mcp` },
      { headers: await proof() },
    );
    const again = { subject_token: String(json.access_token), resource: `${world.stack.mcpUrl}/mcp` };
    expect((await exchange(world, again, { headers: await proof() })).json).toMatchObject({ error: 'invalid_request' });
    const toGithub = { ...again, resource: undefined, audience: 'github' };
    expect((await exchange(world, toGithub)).json).toMatchObject({ error: 'invalid_request' });
  });

  it.each([
    ['a scope that neither the policy nor the token has', { scope: 'mcp:admin' }, 'invalid_scope'],
    ['two targets', { audience: 'github' }, 'invalid_target'],
    ['its own server', { resource: 'own' }, 'invalid_target'],
    ['a server that the policy does not name', { resource: 'https://other.example/mcp' }, 'invalid_target'],
  ])('RFC 8693 §2.2.2 an exchange for %s is refused', async (_, changes, error) => {
    const asked: Record<string, string> = { subject_token: alice.token, resource: `${world.billing}/mcp`, ...changes };
    if (asked.resource === 'own') asked.resource = `${world.stack.mcpUrl}/mcp`;
    expect((await exchange(world, asked)).json).toMatchObject({ error });
  });

  it('RFC 9449 §5 the token of a client that is bound to its key is exchanged for no bearer token of another server', async () => {
    const { client } = alice;
    const code = await client.code({}, alice.person);
    const redemption = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: client.verifier,
    };
    const { json } = await client.token(redemption, await proof());
    expect(json).toMatchObject({ token_type: 'DPoP' });
    const asked = { subject_token: String(json.access_token), resource: `${world.billing}/mcp` };
    expect((await exchange(world, asked)).json).toMatchObject({ error: 'invalid_dpop_proof' });
    const { json: bound } = await exchange(world, asked, { headers: await proof() });
    expect(bound).toMatchObject({ token_type: 'DPoP' });
  });

  it('Token Status List §6.2 a chained token ends with the approval of the person', async () => {
    const bob = await signedIn(world, 'Bob');
    expect(resultOf(await bob.session.call('ask_billing', {})).result.isError).toBeFalsy();
    const { json } = await exchange(world, { subject_token: bob.token, resource: `${world.billing}/mcp` });
    const authorization = `Bearer ${json.access_token}`;
    const there = async () => (await postJson(`${world.billing}/mcp`, initialize(), { authorization })).status;
    expect(await there()).toBe(200);
    const body = new URLSearchParams({ client_id: bob.client.id, token: bob.refreshToken });
    expect((await send(`${world.stack.authUrl}/revoke`, { method: 'POST', body })).status).toBe(200);
    await expect.poll(there, { interval: 100 }).toBe(401);
  });

  it('MCP security best practices "Confused Deputy Problem": an account for the second server is connected for the client of the person', async () => {
    const carol = await signedIn(world, 'Carol');
    const profile = async () => {
      const { result } = resultOf(await carol.session.call('ask_billing', { tool: 'github_profile' }));
      return JSON.parse(result.content[0].text).result;
    };
    const { inputRequests } = await profile();
    const [{ params }] = Object.values(inputRequests) as [{ readonly params: { readonly url: string } }];
    const asked = await carol.person.open(params.url, 'never:');
    if (asked instanceof URL) throw new Error(asked.href);
    expect(textOf(asked)).toContain('Sample client uses tools that need it.');
    expect(asked.body).not.toContain(EXCHANGE_CLIENT);
    await connect(carol.person, params.url, /never/);
    const account = await carol.person.open(`${world.stack.authUrl}/account`, 'never:');
    if (account instanceof URL) throw new Error(account.href);
    expect(textOf(account)).toMatch(/Connected for Sample client (?!,)/);
    expect((await profile()).structuredContent).toMatchObject({ login: 'octocat' });
    const tokenFor = async ({ token }: Caller) =>
      (await exchange(world, { subject_token: token, audience: 'github' })).json;
    expect(await tokenFor(carol)).toHaveProperty('access_token');
    expect(await tokenFor(await signedIn(world, 'Carol')), 'another client').toMatchObject({
      error: 'interaction_required',
    });
  });

  it('CWE-778 the audit of the second server names the actor', async () => {
    await alice.session.call('ask_billing', {});
    await world.other.says('"actors":["mcp-server"]');
  });
});
