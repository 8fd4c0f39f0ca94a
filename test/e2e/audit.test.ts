/**
 * Proves on real processes that both services write one trail, that it verifies after an end in order and after a kill, and that the
 * steps of a sign-in are found in it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { describe, expect, it } from 'vitest';
import { createCommands as authCommands } from '../../auth-server/src/cli/commands.ts';
import { discoverKinds } from '../../auth-server/src/federation/registry.ts';
import { createCommands as mcpCommands } from '../../mcp-server/src/cli/commands.ts';
import { McpSession, OAuthClient } from '../support/oauth-client.ts';
import { Run, Stack } from '../support/stack.ts';

const kinds = await discoverKinds(new URL('../../auth-server/src/connectors/', import.meta.url));
const auth = authCommands(async () => {}, kinds);
const mcp = mcpCommands(async () => {});
const AUDIT_KEY = randomBytes(32).toString('base64');

/** A sign-in, and a call of a tool with its token. */
async function use(stack: Stack): Promise<void> {
  const { access_token: token } = await (await OAuthClient.register(stack)).tokens();
  const session = await McpSession.open(`${stack.mcpUrl}/mcp`, token);
  await session.call('echo', { message: 'canary-argument' });
}

describe('the audit of both services', () => {
  it('both write into one file, which verifies after the end of all processes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-e2e-'));
    const env = { AUDIT: 'file', AUDIT_KEY, AUDIT_FILE: join(folder, 'audit.jsonl') };
    {
      await using stack = await Stack.start(env);
      await use(stack);
      const { output } = await stack.run.stop();
      // One at its end, and one for each minute before.
      const heads = [...output.matchAll(/^(\S+) +│ .* audit head/gm)].map(([, service]) => service);
      expect(new Set(heads)).toEqual(new Set(['auth-server', 'mcp-server']));
    }
    const verified = await run(auth, 'audit verify', env);
    expect(verified.stdout).toMatch(/\d+ entries of 2 processes: nothing is wrong\.\n$/);
    expect(verified.stdout.match(/ended in order/g)).toHaveLength(2);
    const { stdout } = await run(mcp, 'audit show --event tool.called --json', env);
    const call = JSON.parse(stdout);
    expect(call).toMatchObject({ event: 'tool.called', outcome: 'ok', details: { tool: 'echo' } });
    const granted = await run(auth, `audit show --event authorization.granted --person=${call.who} --json`, env);
    const { reference } = JSON.parse(granted.stdout);
    expect((await run(auth, `flows show ${reference}`, env)).stdout).toMatch(/token\.issued +ok/);
    expect(readFileSync(env.AUDIT_FILE, 'utf8')).not.toContain('canary-argument');
    rmSync(folder, { recursive: true });
  });

  it('standard output has log and entries, and verify reads them from there, with the heads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-e2e-'));
    const [port = 0] = await freePorts(1);
    const env = { AUDIT: 'stdout', AUDIT_KEY, ISSUER: `http://localhost:${port}`, DATA_DIR: folder };
    const server = new Run(env, 'auth-server/src/main.ts');
    await server.says('"msg":"ready"');
    await fetch(`${env.ISSUER}/register`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    const { output } = await server.stop();
    const file = join(folder, 'output.log');
    writeFileSync(file, output.replaceAll(/^/gm, 'auth-server-1  | '));
    const verified = await run(auth, `audit verify ${file}`, env);
    expect(verified.stdout).toMatch(/3 entries of 1 processes: nothing is wrong/);
    writeFileSync(
      file,
      output
        .split('\n')
        .filter((line) => !line.includes('audit.ended'))
        .join('\n'),
    );
    expect((await run(auth, `audit verify ${file}`, env)).stdout).toMatch(/^CUT .*: entry 3 at the end/);
    rmSync(folder, { recursive: true });
  });

  it(`replicas write into one Redis stream, which outlives a kill (${NEEDS_REDIS})`, async (context) => {
    context.skip(!hasRedis, NEEDS_REDIS);
    await using redis = await startRedis();
    const env = { AUDIT: 'redis', AUDIT_KEY, REDIS_URL: redis.url, CONNECTORS: 'development' };
    const [first = 0, second = 0] = await freePorts(2);
    const start = (port: number) =>
      new Run({ ...env, ISSUER: `http://localhost:${first}`, PORT: String(port) }, 'auth-server/src/main.ts');
    const [killed, ended] = [start(first), start(second)];
    await Promise.all([killed.says('"msg":"ready"'), ended.says('"msg":"ready"')]);
    const shown = async () =>
      (await run(auth, 'audit show --event audit.started --json', env)).stdout.trim().split('\n');
    await expect.poll(async () => (await shown()).length).toBe(2);
    await killed.stop('SIGKILL');
    await ended.stop();
    const { status, stdout } = await run(auth, 'audit verify', env);
    expect(status).toBe(0);
    expect(stdout.match(/ended in order/g)).toHaveLength(1);
    expect(stdout.match(/not ended: it still runs or was killed/g)).toHaveLength(1);
    // The command writes from a process of its own, into the same stream.
    await run(auth, 'clients remove nobody', env);
    await run(auth, 'keys rotate', env);
    const acted = await run(auth, 'audit show --event admin.acted --json', env);
    expect(JSON.parse(acted.stdout).details).toMatchObject({ command: 'keys rotate' });
  });
});
