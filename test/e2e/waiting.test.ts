/**
 * Proves that the order of start does not matter: a service waits for what it needs, logs that once, and can be
 * stopped.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

const SERVICES = ['auth-server', 'mcp-server'] as const;
const WAITS = '"msg":"waiting for redis"';

const told = (run: Run, message: string): number => run.output.split(`"msg":"${message}"`).length - 1;

const start = (service: (typeof SERVICES)[number], port: number | undefined, env: NodeJS.ProcessEnv): Run =>
  new Run({ PORT: String(port), ...env }, `${service}/src/main.ts`);

describe.each(SERVICES)('%s without Redis', (service) => {
  it('the service waits for a missing Redis with its port closed, and ends at once on a signal', async () => {
    const [port, nobody] = await freePorts(2);
    const run = start(service, port, { REDIS_URL: `redis://127.0.0.1:${nobody}` });
    await run.says(WAITS);
    await expect(fetch(`http://127.0.0.1:${port}/readyz`)).rejects.toThrow('fetch failed');
    const { code, output } = await run.stop();
    expect(code).toBe(0);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain(`"reason":"connect ECONNREFUSED 127.0.0.1:${nobody}"`);
  });

  it.skipIf(!hasRedis)(
    `the service starts when Redis comes, and logs each change once ${hasRedis ? '' : NEEDS_REDIS}`,
    async () => {
      await using redis = await startRedis();
      await redis.kill();
      const [port] = await freePorts(1);
      const run = start(service, port, { REDIS_URL: redis.url });
      await run.says(WAITS);
      await redis.start();
      await run.says('"msg":"ready"');
      expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
      await redis.kill();
      await run.says('"msg":"redis not reachable"');
      await redis.start();
      await run.says('"msg":"redis connected again"');
      await run.stop();
      const lines = ['waiting for redis', 'redis connected', 'redis connected again'];
      expect(lines.map((line) => told(run, line))).toEqual([1, 1, 1]);
      // A reset connection and a refused connection are two different reasons.
      const reasons = [...run.output.matchAll(/"reason":"([^"]+)"[^\n]*"msg":"redis not reachable"/g)].map(
        ([, it]) => it,
      );
      expect(reasons).not.toEqual([]);
      expect(new Set(reasons).size).toBe(reasons.length);
    },
  );

  it.skipIf(!hasRedis)(
    `the service reports a wrong Redis password, and waits for the right one ${hasRedis ? '' : NEEDS_REDIS}`,
    async () => {
      await using redis = await startRedis('--requirepass', 'right');
      const [port] = await freePorts(1);
      const run = start(service, port, { REDIS_URL: redis.url, REDIS_PASSWORD: 'wrong-one' });
      await run.says(WAITS);
      const { code, output } = await run.stop();
      expect([code, told(run, 'waiting for redis')]).toEqual([0, 1]);
      expect(output).toContain('"reason":"WRONGPASS ');
      expect(output).not.toContain('wrong-one');
    },
  );

  it.skipIf(!hasRedis)(
    `the service ends with one line when its Redis user may do nothing ${hasRedis ? '' : NEEDS_REDIS}`,
    async () => {
      await using redis = await startRedis(
        '--user',
        'nobody',
        'on',
        '>secret',
        '+@connection',
        '+info',
        '--user',
        'default',
        'off',
      );
      const [port] = await freePorts(1);
      const REDIS_URL = redis.url.replace('://', '://nobody@');
      const { code, output } = await start(service, port, { REDIS_URL, REDIS_PASSWORD: 'secret' }).ended;
      expect(code).toBe(1);
      expect(output.split('\n').filter((line) => line.startsWith(service))).toEqual([
        expect.stringMatching(`^${service}: REDIS_URL: NOPERM `),
      ]);
    },
  );
});

it('both services start without their identity provider and issuer, and log no line every minute', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-e2e-'));
  const [auth, mcp, nobody] = await freePorts(3);
  const nowhere = `http://localhost:${nobody}`;
  const runs = [
    start('auth-server', auth, { DEVELOPMENT_IDP_URL: nowhere, DATA_DIR: dataDir }),
    start('mcp-server', mcp, { ISSUER: nowhere }),
  ];
  await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'a' })}.${part({ iss: nowhere })}.AA`;
  const headers = { authorization: `Bearer ${token}` };
  const answers = [];
  for (const _ of [1, 2, 3]) answers.push((await fetch(`http://127.0.0.1:${mcp}/mcp`, { method: 'POST', headers })).status);
  await Promise.all(runs.map((run) => run.stop()));
  rmSync(dataDir, { recursive: true, force: true });
  expect(answers).toEqual([503, 503, 503]);
  expect(runs.map((run) => told(run, 'issuer keys not fetched'))).toEqual([0, 1]);
}); // biome-ignore format: one row
