/**
 * Proves that somebody who leaves at the identity provider leaves here: two auth-servers on one Redis behind a balancer that
 * alternates them per request, and a provider whose refresh tokens are good for one use. The figures are printed.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, OAuthClient } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { roundRobin } from '../support/round-robin.ts';
import { Run, type Stack } from '../support/stack.ts';
import { type UpstreamProvider, upstreamProvider } from './upstream-provider.ts';

const NAMES = ['Alice', 'Bob', 'Carol', 'Dave', 'Erin', 'Frank', 'Grace'] as const;
/** Seconds. */
const RECHECK = 3;
const GRACE = 4;
const CLIENTS = 5;
const REFRESHES = 20;
const LONG = { timeout: 30_000, interval: 200 };

/** A client with the tokens of one person; every refresh takes over the new refresh token. */
interface Session {
  readonly client: OAuthClient;
  refreshToken: string;
}

describe('UPSTREAM_RECHECK two auth-servers on one Redis', () => {
  let redis: TestRedis;
  let balancer: TestServer;
  let upstream: UpstreamProvider;
  let stack: Stack;
  let replicas: Run[] = [];

  beforeAll(async () => {
    if (!hasRedis) return;
    [redis, upstream] = await Promise.all([startRedis(), upstreamProvider(NAMES)]);
    const ports = await freePorts(2);
    balancer = await roundRobin(ports);
    const issuer = balancer.url.replace('127.0.0.1', 'localhost');
    stack = { authUrl: issuer, mcpUrl: 'http://localhost:8080' } as Stack;
    const env = {
      ISSUER: issuer,
      REDIS_URL: redis.url,
      STORAGE_KEYS: randomBytes(32).toString('base64'),
      UPSTREAM_RECHECK: `${RECHECK}s`,
      UPSTREAM_GRACE: `${GRACE}s`,
      REGISTRATION_LIMIT: '100000',
      AUTHORIZATION_LIMIT: '100000',
      FAILURE_LIMIT: '100000',
      ...upstream.env,
    };
    replicas = ports.map((port) => new Run({ ...env, PORT: String(port) }, 'auth-server/src/main.ts'));
    await Promise.all(replicas.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all(replicas.map((run) => run.stop()));
    await balancer?.close();
    await upstream?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  /** Clients of one person, each with an approval of its own. */
  async function sessionsOf(name: (typeof NAMES)[number], clients = 1): Promise<readonly Session[]> {
    const sessions: Session[] = [];
    for (let n = 0; n < clients; n += 1) {
      const client = await OAuthClient.register(stack);
      sessions.push({ client, refreshToken: (await client.tokens({}, new Person(new RegExp(name)))).refresh_token });
    }
    return sessions;
  }
  async function refresh(session: Session): Promise<Answer> {
    const answer = await session.client.refresh(session.refreshToken);
    if (answer.status === 200) session.refreshToken = String(answer.json.refresh_token);
    return answer;
  }
  const asked = (name: string) => upstream.refreshes.get(name) ?? 0;
  const due = () => setTimeout(RECHECK * 1000 + 100);
  const output = () => replicas.map((run) => run.output).join('\n');
  const tell = (line: string) => process.stdout.write(`${line}\n`);

  it('RFC 9700 §4.14.2 one of twenty refreshes at once asks the provider, and all succeed', async () => {
    const sessions = await sessionsOf('Alice', CLIENTS);
    await due();
    const before = asked('Alice');
    const started = performance.now();
    const attempts = Array.from({ length: REFRESHES }, (_, n) => {
      const { client, refreshToken } = sessions[n % CLIENTS] as Session;
      return client.refresh(refreshToken);
    });
    const answers = await Promise.all(attempts);
    const took = Math.round(performance.now() - started);
    const questions = asked('Alice') - before;
    tell(
      `${REFRESHES} refreshes of ${CLIENTS} clients over two replicas: ${questions} asked, all answered after ${took} ms`,
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(REFRESHES).fill(200));
    expect(questions).toBe(1);
    expect(upstream.reuses()).toBe(0);
  });

  it('every refresh of a person who is disabled at the provider fails, and everybody else goes on', async () => {
    const bobs = await sessionsOf('Bob', CLIENTS);
    const [carol] = (await sessionsOf('Carol')) as [Session];
    const member = upstream.people.Bob;
    if (member) member.isDisabled = true;
    const disabled = performance.now();
    let [last, succeeded, others] = [0, 0, 0];
    const ended = new Map<Session, Answer>();
    while (ended.size < CLIENTS) {
      for (const session of bobs) {
        const answer = await refresh(session);
        if (answer.status !== 200) ended.set(session, ended.get(session) ?? answer);
        else [last, succeeded] = [performance.now() - disabled, succeeded + 1];
        // Nobody comes back after a refusal.
        expect([answer.status, ended.has(session)]).toEqual(ended.has(session) ? [400, true] : [200, false]);
      }
      expect((await refresh(carol)).status).toBe(200);
      others += 1;
    }
    const over = Math.round(performance.now() - disabled);
    tell(
      `disabled: ${succeeded} refreshes succeeded within UPSTREAM_RECHECK (${RECHECK * 1000} ms), the last after ${Math.round(last)} ms; all ${CLIENTS} clients refused after ${over} ms; ${others} refreshes of somebody else, none refused`,
    );
    for (const { json } of ended.values()) {
      expect(json).toMatchObject({ error: 'invalid_grant', error_description: expect.stringMatching(/disabled/) });
    }
    expect(output()).toMatch(
      /"outcome":"denied"[^\n]*"upstreamDescription":"User disabled"[^\n]*"upstream re-check failed"/,
    );
    await due();
    expect((await refresh(carol)).status).toBe(200);
  });

  it('a refusal that arrives after the person was enabled and has signed in again is dropped', async () => {
    const [grace] = (await sessionsOf('Grace')) as [Session];
    await due();
    const member = upstream.people.Grace as { isDisabled: boolean };
    const answer = Promise.withResolvers<void>();
    upstream.held = answer.promise;
    member.isDisabled = true;
    const before = asked('Grace');
    const late = refresh(grace);
    await expect.poll(() => asked('Grace'), LONG).toBe(before + 1);
    member.isDisabled = false;
    const [again] = (await sessionsOf('Grace')) as [Session];
    answer.resolve();
    expect((await late).status).toBe(200);
    await due();
    expect([(await refresh(grace)).status, (await refresh(again)).status]).toEqual([200, 200]);
    expect(upstream.reuses()).toBe(0);
  });

  it('a group that was removed at the provider is missing at the next re-check, and the rules decide', async () => {
    const [dave] = (await sessionsOf('Dave')) as [Session];
    const member = upstream.people.Dave;
    if (member) member.groups = [];
    await due();
    expect((await refresh(dave)).json).toMatchObject({ error: 'invalid_grant' });
    if (member) member.groups = ['staff'];
    await due();
    expect((await refresh(dave)).status).toBe(200);
  });

  it('UPSTREAM_GRACE an outage signs nobody out until the grace is over, and the same token works afterwards', async () => {
    const [erin] = (await sessionsOf('Erin')) as [Session];
    upstream.isDown = true;
    try {
      await due();
      expect((await refresh(erin)).status).toBe(200);
      await expect.poll(async () => (await refresh(erin)).status, LONG).toBe(400);
    } finally {
      upstream.isDown = false;
    }
    await expect.poll(async () => (await refresh(erin)).status, LONG).toBe(200);
    expect(output()).toContain('has not confirmed the person for longer than UPSTREAM_GRACE');
  });

  it('UPSTREAM_GRACE a person whose session at the provider has ended signs in there anew, in the same browser', async () => {
    const client = await OAuthClient.register(stack);
    const frank = new Person(/Frank/);
    const session = { client, refreshToken: (await client.tokens({}, frank)).refresh_token };
    upstream.endSessions('Frank');
    await expect.poll(async () => (await refresh(session)).status, LONG).toBe(400);
    session.refreshToken = (await client.tokens({}, frank)).refresh_token;
    await due();
    expect((await refresh(session)).status).toBe(200);
  });

  it('CWE-532, CWE-311 no token of the provider is in a log or readable in Redis', async () => {
    const store = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log: createLogger('test', 'silent') });
    await whenReady(store);
    const keys = await store.keys('as:v1:UpstreamSession:acme:*');
    const records = await Promise.all(keys.map((key) => store.hgetall(key)));
    store.disconnect();
    expect(records).toHaveLength(NAMES.length);
    const written = output() + JSON.stringify(records);
    expect(upstream.issued.filter((token) => written.includes(token))).toEqual([]);
    expect(written).not.toContain('secret of this server');
  });
});
