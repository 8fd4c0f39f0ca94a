/** Proves on a real Redis that two processes renew the token of one connection once, and that its record has no readable token. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { createRedisStore } from '../../../src/storage/redis.ts';
import { createSealedStore } from '../../../src/storage/sealed.ts';
import { connected } from '../../../src/vault/connections/changes.ts';
import { createVault } from '../../../src/vault/vault.ts';
import { TOKEN_PATH } from '../../support/github-stand-in.ts';
import { createStage, Reply } from '../../support/upstream-stand-in.ts';

const REPLICA = fileURLToPath(new URL('./replica.ts', import.meta.url));
const holder = { connector: 'github', accountId: 'alice' };

interface Replica {
  readonly child: ChildProcess;
  output: string;
}

function start(args: readonly string[]): Replica {
  const child = spawn(process.execPath, [REPLICA, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const replica = { child, output: '' };
  child.stdout?.on('data', (chunk) => {
    replica.output += chunk;
  });
  return replica;
}

describe.skipIf(!hasRedis)(`two processes on one Redis (${NEEDS_REDIS})`, () => {
  it('RFC 9700 §4.14.2 twenty requests on two processes use a refresh token once, and all get the new token', async () => {
    await using redis = await startRedis();
    const upstream = await createStage(TOKEN_PATH);
    const key = randomBytes(32);
    let redeemed = 0;
    upstream.routes.set(TOKEN_PATH, (form) => {
      redeemed += 1;
      if (form.get('refresh_token') !== 'ghr_1' || redeemed > 1) return new Reply(200, { error: 'bad_refresh_token' });
      return { access_token: 'ghu_2', token_type: 'bearer', expires_in: 28_800, refresh_token: 'ghr_2' };
    });
    const client = openRedis({
      target: redisUrl().parse(redis.url),
      name: 'test',
      log: createLogger('test', 'silent'),
    });
    const store = await createRedisStore(client);
    const vault = createVault(createSealedStore(store, [key]), { clock: systemClock, lifetime: 3_600 });
    const session = { accessToken: 'ghu_1', refreshToken: 'ghr_1', expiresAt: 0 };
    await vault.begin(holder, connected({ session, scopes: [] }, Math.floor(Date.now() / 1000)));
    const replicas = [1, 2].map(() => start([redis.url, upstream.url, key.toString('base64'), holder.accountId]));
    try {
      for (const replica of replicas) await expect.poll(() => replica.output).toBe('ready\n');
      for (const { child } of replicas) child.stdin?.write('go\n');
      await Promise.all(replicas.map(({ child }) => once(child, 'exit')));
      const found = replicas.flatMap(({ output }) => JSON.parse(output.split('\n')[1] ?? ''));
      expect(found).toEqual(Array(20).fill(expect.objectContaining({ token: 'ghu_2' })));
      expect(redeemed).toBe(1);
      expect((await vault.find(holder))?.connection?.session?.refreshToken).toBe('ghr_2');
      expect(JSON.stringify(await store.get('UpstreamSession', 'github:alice'))).not.toMatch(/gh[ur]_/);
    } finally {
      for (const { child } of replicas) child.kill('SIGKILL');
      await store.close();
      await upstream.close();
    }
  });
});
