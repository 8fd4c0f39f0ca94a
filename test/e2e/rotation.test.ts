/**
 * Proves that keys change while clients work: two auth-servers on one Redis behind a balancer that alternates them per
 * request, an mcp-server, and no refused token during rotations, an emergency rotation and a change of the algorithm.
 */
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpSession, OAuthClient } from '../support/oauth-client.ts';
import { roundRobin } from '../support/round-robin.ts';
import { Run, type Stack } from '../support/stack.ts';
import { ContinuousCalls } from './continuous-calls.ts';

interface ListedKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly state: string;
}

/** The shortest times that the settings allow, in proportion. */
const LIFETIMES = {
  ACCESS_TOKEN_LIFETIME: '10s',
  KEY_LEAD: '4s',
  KEY_POLL: '1s',
  DOCUMENT_LIFETIME: '2s',
  JWKS_MAX_AGE: '2s',
} as const;
/** Longer times for a key that signs at once: it depends on polling alone, which may be late on two cores. */
const UNHURRIED = { KEY_POLL: '2s', KEY_LEAD: '6s' } as const;
const CLIENTS = 4;
const LONG = { timeout: 60_000, interval: 250 };

describe('RFC 9068 §4 two auth-servers and an mcp-server under load', () => {
  let redis: TestRedis;
  let balancer: TestServer;
  let env: NodeJS.ProcessEnv;
  let stack: Stack;
  const ports: number[] = [];
  const others: Run[] = [];
  let replicas: Run[] = [];

  const startReplicas = async (changed: NodeJS.ProcessEnv): Promise<readonly [Run[], number[]]> => {
    const free = await freePorts(2);
    const started = free.map((port) => new Run({ ...env, ...changed, PORT: String(port) }, 'auth-server/src/main.ts'));
    await Promise.all(started.map((run) => run.says('"msg":"ready"')));
    return [started, free];
  };

  beforeAll(async () => {
    if (!hasRedis) return;
    redis = await startRedis();
    balancer = await roundRobin(ports);
    const [idpPort, mcpPort] = await freePorts(2);
    const issuer = balancer.url.replace('127.0.0.1', 'localhost');
    env = {
      ISSUER: issuer,
      PUBLIC_URL: `http://localhost:${mcpPort}`,
      RESOURCES: `http://localhost:${mcpPort}`,
      DEVELOPMENT_IDP_URL: `http://localhost:${idpPort}`,
      REDIS_URL: redis.url,
      REGISTRATION_LIMIT: '100000',
      ...LIFETIMES,
    };
    stack = { authUrl: issuer, mcpUrl: env.PUBLIC_URL } as Stack;
    const [started, free] = await startReplicas({ KEY_ROTATION: '14s' });
    replicas = started;
    ports.push(...free);
    others.push(new Run(env, 'development-idp/src/main.ts'), new Run(env, 'mcp-server/src/main.ts'));
    await Promise.all(others.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all([...others, ...replicas].map((run) => run.stop()));
    await balancer?.close();
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  const keys = async (line = 'list --json', changed: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { code, output } = await new Run({ ...env, ...changed }, `auth-server/src/main.ts keys ${line}`).ended;
    expect(code, output).toBe(0);
    return output;
  };
  const listed = async () => JSON.parse(await keys()) as readonly ListedKey[];
  const published = async () => {
    const { keys } = (await (await fetch(`${stack.authUrl}/jwks`)).json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  };
  const made = (): string[] =>
    [...replicas, ...stopped].flatMap(({ output }) =>
      [...output.matchAll(/"kid":"([^"]+)"[^\n]*"msg":"signing key published"/g)].map(([, kid = '']) => kid),
    );
  const stopped: Run[] = [];

  it('automatic key rotation causes no refused token, makes one new key each time, and removes the old ones', async () => {
    const work = await ContinuousCalls.start(stack, CLIENTS);
    const before = new Set(made());
    // Two successors have signed, and the first key is removed.
    await expect.poll(() => work.signedBy.size, LONG).toBeGreaterThanOrEqual(3);
    const [first = ''] = work.signedBy.keys();
    await expect.poll(published, LONG).not.toContain(first);
    await work.stop();
    const order = [...work.signedBy.keys()];
    expect(work.failures).toEqual([]);
    // Whichever server was first: each signing key was made once, and is followed only by the next one.
    expect(new Set(made()).size).toBe(made().length);
    expect(made()).toEqual(expect.arrayContaining(order.slice(1)));
    expect(made().filter((kid) => !before.has(kid) && !order.includes(kid)).length).toBeLessThanOrEqual(1);
    expect(work.callsWithOldKey).toBeGreaterThan(0);
    report('rotation by itself', work);
  });

  it('keys rotate --now causes no refused token', async () => {
    const [more, free] = await startReplicas({ KEY_ROTATION: 'off', ...UNHURRIED });
    stopped.push(...(await replace(more, free)));
    const work = await ContinuousCalls.start(stack, CLIENTS);
    // The rotation before this one may still have a key that becomes valid later.
    await expect.poll(async () => (await listed()).some(({ state }) => state === 'pending'), LONG).toBe(false);
    await keys('rotate --now', UNHURRIED);
    const [next] = await listed();
    await expect.poll(() => work.signedBy.has(next?.kid ?? ''), LONG).toBe(true);
    await expect.poll(async () => (await listed()).length, LONG).toBe(1);
    await work.stop();
    expect(work.failures).toEqual([]);
    report('keys rotate --now', work);
  });

  it('a change of the algorithm by a rolling deployment causes no refused token', async () => {
    const work = await ContinuousCalls.start(stack, CLIENTS);
    const [more, free] = await startReplicas({ SIGNING_ALGORITHM: 'EdDSA', KEY_ROTATION: 'off' });
    stopped.push(...(await replace(more, free)));
    await expect.poll(async () => (await listed()).map(({ algorithm }) => algorithm), LONG).toEqual(['EdDSA']);
    await work.stop();
    expect(work.failures).toEqual([]);
    expect(work.signedBy.size).toBe(2);
    report('ES256 to EdDSA', work);
  });

  it('the tokens of a retired key are refused, and those of its successor are accepted', async () => {
    const client = await OAuthClient.register(stack);
    const { access_token: token, refresh_token } = await client.tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, token);
    const statusWith = async (accessToken: string) =>
      (await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { authorization: `Bearer ${accessToken}` }))
        .status;
    const [only] = await listed();
    expect(await statusWith(token)).toBe(200);
    await keys(`retire -- ${only?.kid}`);
    const both = async () => [...(await published()), ...(await published())];
    await expect.poll(both, LONG).not.toContain(only?.kid);
    let refreshToken = refresh_token;
    const newest = async () => {
      const { json } = await client.refresh(refreshToken);
      refreshToken = String(json.refresh_token);
      return String(json.access_token);
    };
    await expect.poll(async () => statusWith(await newest()), LONG).toBe(200);
    await expect.poll(() => statusWith(token), LONG).toBe(401);
    expect(await statusWith(await newest())).toBe(200);
  });

  /** The balancer switches to the new servers, and the old ones finish their requests. */
  async function replace(more: Run[], free: number[]): Promise<Run[]> {
    const old = replicas;
    replicas = more;
    ports.splice(0, ports.length, ...free);
    await Promise.all(old.map((run) => run.stop()));
    return old;
  }
});

const report = (what: string, { refreshes, calls, callsWithOldKey, failures, signedBy }: ContinuousCalls): void => {
  process.stdout.write(
    `  ${what}: ${refreshes} refreshes, ${calls} calls (${callsWithOldKey} with a token of an earlier key), ${signedBy.size} keys, ${failures.length} refused\n`,
  );
};
