/**
 * Proves that both services have loaded all modules when they are ready: `npm ci` of an upgrade replaces node_modules while the old
 * processes go on serving (docs/upgrade.md).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { headersOf, meta } from '../../mcp-server/test/support/stateless-harness.ts';
import { initialize, McpSession, OAuthClient, postJson } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { openSse } from '../support/sse-stream.ts';
import { Stack } from '../support/stack.ts';

/** A module that writes a line for each module that its process loads after it: the program, and the URL of the module. */
const recorder = (file: string): string => `
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('node:')) appendFileSync(${JSON.stringify(file)}, process.argv[1] + ' ' + url + '\\n');
      return nextLoad(url, context);
    },
  });
`;

async function useEverything(stack: Stack, metricsPort: number): Promise<void> {
  const client = await OAuthClient.register(stack);
  const person = new Person();
  const { access_token: token, refresh_token } = await client.tokens({}, person);
  expect((await client.refresh(refresh_token)).status).toBe(200);

  const mcp = `${stack.mcpUrl}/mcp`;
  const session = await McpSession.open(mcp, token);
  expect((await session.call('sum', { a: 1, b: 2 })).status).toBe(200);
  expect((await session.call('sum', { a: 'no number' })).status).toBe(200);
  const params = { name: 'sum', arguments: { a: 1, b: 2 }, _meta: meta() };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
  const authorization = { authorization: `Bearer ${token}` };
  expect((await postJson(mcp, message, { ...headersOf(message), ...authorization })).status).toBe(200);
  const sse = await openSse(stack, token);
  expect((await postJson(sse.endpoint, initialize('2024-11-05'), authorization)).status).toBe(202);
  await sse.next();
  sse.close();

  for (const url of [stack.mcpUrl, `${stack.authUrl}/account`]) {
    expect(await person.open(url, 'nowhere'), url).toMatchObject({ status: 200 });
  }
  expect((await client.post('/revoke', { token: refresh_token })).status).toBe(200);
  for (const port of [metricsPort, metricsPort + 1]) {
    expect((await fetch(`http://localhost:${port}/metrics`)).status, String(port)).toBe(200);
  }
}

describe('the modules of a running service', () => {
  it('no request loads a module, and neither does the end of the process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-loaded-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [hook, file] = [join(folder, 'recorder.mjs'), join(folder, 'loaded')];
    writeFileSync(hook, recorder(file));
    const loaded = () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /\/(auth|mcp)-server\/src\/main\.ts /.test(line));
    await using redis = hasRedis ? await startRedis() : undefined;
    // That of auth-server is one above that of mcp-server.
    const [metrics = 0] = await freePorts(2);
    const more = { METRICS_PORT: String(metrics), ...(redis && { REDIS_URL: redis.url }) };
    await using stack = await Stack.start({ NODE_OPTIONS: `--import=${hook}`, ...more });
    const atStart = loaded();
    await useEverything(stack, metrics);
    await stack.run.stop();
    expect(loaded().slice(atStart.length)).toEqual([]);
  });
});
