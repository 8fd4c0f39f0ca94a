/**
 * Proves that several processes of one client may share a token file (RFC 9700 §4.14.2): a late process gets an error,
 * finds the newer token in the file, and no person has to sign in again.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OAuthClient } from '../support/oauth-client.ts';
import { Run } from '../support/stack.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const PROCESSES = 3;
const ROUNDS = 50;

describe.each(Object.entries(STORAGES))('two auth-servers on %s', (name, share) => {
  let shared: Shared;
  let replicas: Replicas;
  const needsRedis = /Redis/.test(name);
  const folder = mkdtempSync(join(tmpdir(), 'token-file-'));
  beforeAll(async () => {
    if (needsRedis && !hasRedis) return;
    shared = await share();
    // No process may be suspended for longer than the grace period, however busy the machine is.
    replicas = await startReplicas(shared, { REFRESH_GRACE: '10m' });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await replicas?.[Symbol.asyncDispose]();
    await shared?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  it(`RFC 9700 §4.14.2 two servers keep ${PROCESSES} processes with one token file signed in`, async () => {
    const client = await OAuthClient.register(replicas.stack);
    const file = join(folder, 'token');
    writeFileSync(file, (await client.tokens()).refresh_token);
    const program = ['test/races/token-file-client.ts', `${replicas.stack.authUrl}/token`, client.id, file, ROUNDS];
    const runs = Array.from({ length: PROCESSES }, () => new Run({}, program.join(' ')));
    await Promise.all(runs.map((run) => run.says('ready')));
    writeFileSync(`${file}.go`, '');
    const seen = await Promise.all(
      runs.map(async (run) => JSON.parse((await run.ended).output.trim().split('\n').at(-1) ?? '')),
    );
    const sum = (member: string) => seen.reduce((total, one) => total + one[member], 0);
    process.stdout.write(
      `${name}: token file: ${PROCESSES} processes, refreshed ${sum('refreshed')}, too late ${sum('tooLate')}, signed out ${sum('signedOut')}\n`,
    );
    expect(seen.map(({ refreshed, signedOut }) => [refreshed, signedOut])).toEqual(Array(PROCESSES).fill([ROUNDS, 0]));
    expect(existsSync(`${file}.lock`)).toBe(false);
    expect((await client.refresh(readFileSync(file, 'utf8'))).status).toBe(200);
    expect(replicas.output()).not.toMatch(/"msg":"(security|access ended)"/);
  });
});
