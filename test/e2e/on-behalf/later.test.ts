/**
 * Proves what happens to an account that was connected before: the operator lets tools have more of it, or GitHub ends all of its
 * tokens. The person is asked on a page, signs in nowhere, and the call goes on.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpSession } from '../../support/oauth-client.ts';
import { type Caller, connect, exchange, opener, resultOf, signedIn, textOf } from './callers.ts';
import { startWorld, type World } from './world.ts';

const LONG = { timeout: 30_000, interval: 50 };

let world: World;

beforeAll(async () => {
  if (hasRedis) world = await startWorld({ names: ['Alice', 'Bob'] });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

/** Approves on the page of a link, without a sign-in. @returns what the page says */
async function approve({ person }: Caller, link: string): Promise<string> {
  const page = await person.open(link, 'never:');
  if (page instanceof URL) throw new Error(page.href);
  await connect(person, link, /never/);
  return textOf(page);
}

const profileOf = { name: 'github_profile', arguments: {} };

describe('GitHub docs "Token expiration and revocation" a token that expires, and can be refreshed', () => {
  it('GitHub docs "Token expiration and revocation": if GitHub ends it during a call, one refresh fails, and one page is shown', async () => {
    world.github.lifetime = 28_800;
    const bob = await signedIn(world, 'Bob', { scope: 'mcp:tools upstream:github' });
    const sessions = await Promise.all(
      world.mcpPorts.map((port) => McpSession.open(`http://localhost:${port}/mcp`, bob.token)),
    );
    const logins = async () => {
      const answers = await Promise.all(sessions.map((session) => session.call('github_profile', {})));
      return answers.map((answer) => resultOf(answer).result?.structuredContent?.login);
    };
    // Each mcp-server has the token in memory.
    expect(await logins()).toEqual(Array(3).fill('octocat'));
    const held = Promise.withResolvers<void>();
    world.github.heldCall = held.promise;
    const { length } = world.github.called;
    const { client, visits } = await opener(world, bob.token, (link) => approve(bob, link));
    const call = client.callTool(profileOf);
    await expect.poll(() => world.github.called.length, LONG).toBe(length + 1);
    world.github.withdraw(world.github.user.id);
    held.resolve();
    world.github.heldCall = undefined;
    expect((await call).structuredContent).toMatchObject({ login: 'octocat' });
    expect(await logins()).toEqual(Array(3).fill('octocat'));
    expect(visits).toHaveLength(1);
    expect([world.github.counts.get('refresh'), world.github.counts.get('refused refresh')]).toEqual([undefined, 1]);
    await client.close();
  });
});

describe('MCP 2025-11-25 client/elicitation more scopes of an account that is connected', () => {
  it('MCP 2025-11-25 client/elicitation a scope that the operator adds is shown at the next call, which goes on without a new sign-in', async () => {
    world.github.lifetime = undefined;
    const alice = await signedIn(world, 'Alice');
    const scopes = async () => (await exchange(world, { subject_token: alice.token, audience: 'github' })).json;
    await approve(alice, String((await scopes()).interaction_uri));
    expect(await scopes()).toMatchObject({ scope: 'repo' });
    await world.restartAuths({ CONNECTOR_GITHUB_TOOL_SCOPES: 'repo read:org' });
    const { client, visits } = await opener(world, alice.token, (link) => approve(alice, link));
    expect((await client.callTool(profileOf)).structuredContent).toMatchObject({ login: 'octocat' });
    const pages = await Promise.all(visits);
    expect(pages).toHaveLength(1);
    expect(pages[0]).toMatch(/Read and change your repositories.*See your organisations and teams/);
    expect(world.github.asked.at(-1)?.get('scope')).toBe('repo read:org');
    expect(await scopes()).toMatchObject({ scope: 'repo read:org' });
    await client.close();
  });
});
