/**
 * Proves the whole way of a tool that acts for a person, with both kinds of tokens of GitHub: from the question for the account to the
 * call, over replicas, until the account is disconnected or GitHub ends the token.
 */
import { hasRedis, NEEDS_REDIS, operatorOf } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBrowser } from '../../support/browser.ts';
import { McpSession, postJson, REDIRECT_URI } from '../../support/oauth-client.ts';
import { type Caller, connect, opener, resultOf, signedIn } from './callers.ts';
import { startWorld, type World } from './world.ts';

const NAMES = ['Alice', 'Bob', 'Carol', 'Dave', 'Erin', 'Frank', 'Grace', 'Heidi', 'Ivan'] as const;
const LONG = { timeout: 30_000, interval: 100 };

let world: World;
const browser = useBrowser();

beforeAll(async () => {
  if (hasRedis) world = await startWorld({ names: NAMES });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach((context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  world.github.lifetime = undefined;
  world.github.user = { id: 583231, login: 'octocat', repositories: [{ name: 'plans', private: true }] };
});

/** The commands that Redis gets meanwhile. */
async function watched(redis: World['redis'], work: () => Promise<void>): Promise<readonly string[]> {
  const operator = operatorOf(redis.url);
  const monitor = await operator.monitor();
  const commands: string[] = [];
  monitor.on('monitor', (_time: string, words: readonly string[]) => commands.push(words.join(' ')));
  await work();
  monitor.disconnect();
  operator.disconnect();
  return commands;
}

const profile = async ({ session }: Pick<Caller, 'session'>) => resultOf(await session.call('github_profile', {}));
const refreshes = () => world.github.counts.get('refresh') ?? 0;

/** Somebody whose account at GitHub is connected. */
async function connected(name: (typeof NAMES)[number], scopes = 'mcp:tools upstream:github'): Promise<Caller> {
  return signedIn(world, name, { scope: scopes });
}

describe('MCP 2025-11-25 basic/authorization a client that can open no page for a tool', () => {
  it('a tool needs the scope upstream:github, and approving it leads through GitHub, where the account is connected', async () => {
    const alice = await signedIn(world, 'Alice');
    const answer = await alice.session.call('github_profile', {});
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toMatch(/scope="[^"]*\bupstream:github\b/);
    const page = await alice.person.open(
      alice.client.authorizationUrl({ scope: 'mcp:tools upstream:github' }),
      REDIRECT_URI,
    );
    if (page instanceof URL) throw new Error('an approval was remembered that nobody gave');
    expect(page.body.replace(/<[^>]*>/g, '')).toMatch(
      /Use your account at GitHub with tools\s*Read and change your repositories, also the private ones/,
    );
    const token = await alice.client.tokens({ scope: 'mcp:tools upstream:github' }, alice.person);
    const session = await McpSession.open(`${world.stack.mcpUrl}/mcp`, token.access_token);
    expect((await profile({ session })).result.structuredContent).toMatchObject({ login: 'octocat' });
    expect(world.github.asked.at(-1)?.get('scope')).toBe('repo');
    const list = resultOf(await session.call('github_repositories', {}));
    expect(list.result.structuredContent.repositories).toMatchObject([{ name: 'octocat/plans', private: true }]);
  });

  it('a person who refuses at GitHub is signed in without the scope, and the other tools work', async () => {
    world.github.isDeclined = true;
    try {
      const { client, person } = await signedIn(world, 'Alice');
      const { scope, access_token: token } = await client.tokens({ scope: 'mcp:tools upstream:forge' }, person);
      expect(scope).toBe('mcp:tools');
      const session = await McpSession.open(`${world.stack.mcpUrl}/mcp`, token);
      expect((await session.call('whoami', {})).status).toBe(200);
    } finally {
      world.github.isDeclined = false;
    }
  });
});

describe('MCP 2025-11-25 client/elicitation a client that opens pages', () => {
  it('a call waits while the person connects the account in the browser, and then goes on', async () => {
    const { token } = await signedIn(world, 'Bob');
    const { client, visits } = await opener(world, token, async (url) => {
      const page = await browser().newPage();
      await page.goto(url);
      await page.getByRole('button', { name: /Bob/ }).click();
      const text = await page.locator('main').innerText();
      await page.getByRole('button', { name: /^Continue with GitHub/ }).click();
      await page.getByText('GitHub is connected').waitFor();
      const end = await page.locator('main').innerText();
      await page.close();
      return { text, end };
    });
    const { structuredContent } = await client.callTool({ name: 'github_profile', arguments: {} });
    expect(structuredContent).toMatchObject({ login: 'octocat' });
    const [seen] = (await Promise.all(visits)) as { text: string; end: string }[];
    expect(seen?.text).toMatch(/Sample client[\s\S]*repositories, also the private ones/);
    expect(seen?.end).toContain('octocat');
    await client.close();
  });

  it('six calls at once at three replicas show each page once; Cancel ends all calls that wait for it, and after the next page all go on', async () => {
    const { person, token } = await signedIn(world, 'Ivan');
    let answer = /^Cancel/;
    const links: string[] = [];
    const { client } = await opener(world, token, async (link) => {
      links.push(link);
      if (answer.test('Connect')) return connect(person, link, /Ivan/);
      const page = await person.open(link, 'never:');
      return page instanceof URL ? page : person.press(page, answer, 'never:');
    });
    const call = () => client.callTool({ name: 'github_profile', arguments: {} });
    const six = () => Promise.all(Array.from({ length: 6 }, call));
    const declined = await six();
    for (const { content } of declined) {
      expect(content).toMatchObject([{ text: 'The user declined to connect github.' }]);
    }
    // A call that arrives after the person has declined asks anew.
    expect(new Set(links).size).toBe(links.length);
    answer = /^Connect/;
    links.length = 0;
    const found = await six();
    expect(found.map(({ structuredContent }) => structuredContent)).toMatchObject(Array(6).fill({ login: 'octocat' }));
    expect(links).toHaveLength(1);
    await client.close();
  });

  it('a second connector is connected later without a new sign-in', async () => {
    const { person, token } = await connected('Carol');
    const { client, visits } = await opener(world, token, (url) => connect(person, url, /never/));
    const { content } = await client.callTool({ name: 'forge_name', arguments: {} });
    expect(content).toMatchObject([{ text: 'octocat' }]);
    expect(visits).toHaveLength(1);
    await client.close();
  });
});

describe('MCP 2026-07-28 client/elicitation a client that opens pages', () => {
  /** One round of a call, with what the rounds before have given. */
  async function round(token: string, name: string, more: object = {}) {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'opener', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } },
    };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta, ...more } };
    const authorization = `Bearer ${token}`;
    return resultOf(await postJson(`${world.stack.mcpUrl}/mcp`, call, { authorization, ...headers })).result;
  }

  it('a call gets the page as an input that is required, and its next round goes on at any replica', async () => {
    const { person, token } = await signedIn(world, 'Bob');
    const { resultType, inputRequests, requestState } = await round(token, 'forge_name');
    expect(resultType).toBe('input_required');
    const [[key, { method, params }]] = Object.entries(inputRequests) as [
      [string, { method: string; params: { mode: string; url: string } }],
    ];
    expect([method, params.mode]).toEqual(['elicitation/create', 'url']);
    expect((await connect(person, params.url, /Bob/)).body).toContain('octocat');
    const answers = { inputResponses: { [key]: { action: 'accept' } }, requestState };
    expect((await round(token, 'forge_name', answers)).content).toMatchObject([{ text: 'octocat' }]);
  });
});

describe('the tokens of an account', () => {
  it('RFC 9700 §4.14.2 a token that GitHub lets expire is refreshed once for calls at three replicas and two auth-servers', async () => {
    world.github.lifetime = 1;
    const dave = await connected('Dave');
    const before = refreshes();
    const held = Promise.withResolvers<void>();
    world.github.heldRefresh = held.promise;
    const sessions = await Promise.all(
      world.mcpPorts
        .flatMap((port) => [port, port])
        .map((port) => McpSession.open(`http://localhost:${port}/mcp`, dave.token)),
    );
    world.github.lifetime = 28_800;
    const calls = sessions.map((session) => profile({ session }));
    await expect.poll(() => world.github.waiting, LONG).toBe(1);
    held.resolve();
    const answers = await Promise.all(calls);
    expect(answers.map(({ result }) => result.structuredContent?.login)).toEqual(Array(6).fill('octocat'));
    expect(refreshes() - before).toBe(1);
    expect(world.github.counts.get('refused refresh')).toBeUndefined();
  });

  it('GitHub docs "Token expiration and revocation": a token that ends in the middle of calls leads to the page again, and not to an error of the tool', async () => {
    const erin = await connected('Erin');
    expect((await profile(erin)).result.structuredContent.login).toBe('octocat');
    world.github.withdraw(583231);
    const { status } = await profile(erin);
    expect(status).toBe(403);
  });

  it('a token that another replica has replaced is replaced here too, and not refreshed again', async () => {
    world.github.lifetime = 28_800;
    const frank = await connected('Frank');
    expect((await profile(frank)).result.structuredContent.login).toBe('octocat');
    const before = refreshes();
    world.github.expire(583231);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, id) => frank.session.call('github_profile', {}, {}, id + 10)),
    );
    expect(answers.map((answer) => resultOf(answer).result?.structuredContent?.login)).toEqual(
      Array(6).fill('octocat'),
    );
    expect(refreshes() - before).toBe(1);
  });

  it('a person who disconnects while a call runs ends the token at GitHub, and the call with it', async () => {
    const grace = await connected('Grace');
    const held = Promise.withResolvers<void>();
    world.github.heldCall = held.promise;
    const { length } = world.github.called;
    const call = profile(grace);
    await expect.poll(() => world.github.called.length, LONG).toBe(length + 1);
    const page = await grace.person.open(`${world.stack.authUrl}/account`, 'never:');
    if (page instanceof URL) throw new Error(page.href);
    expect(page.body).toContain('octocat');
    await grace.person.press(page, /^Disconnect GitHub/, 'never:');
    expect(world.github.revoked).toContain(world.github.called.at(-1));
    held.resolve();
    world.github.heldCall = undefined;
    expect((await call).result?.structuredContent).toBeUndefined();
    expect((await profile(grace)).status).toBe(403);
  });

  it('whoever asks for no account costs nothing: no record of a connection is read, and nobody is asked', async () => {
    const heidi = await connected('Heidi');
    const commands = await watched(world.redis, async () => {
      for (let n = 0; n < 20; n += 1) expect((await heidi.session.call('whoami', {})).status).toBe(200);
    });
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((line) => line.includes('UpstreamSession'))).toEqual([]);
  });
});
