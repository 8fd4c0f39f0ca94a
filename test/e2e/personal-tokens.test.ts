/**
 * Proves with real processes that a service calls tools with nothing but a header, and that ending its token ends that, while others
 * go on.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, Stack } from '../support/stack.ts';

const ENV = { PERSONAL_TOKENS: 'services', STATUS_MAX_AGE: '2s' };

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start(ENV);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

function type(line: string) {
  const { PATH, HOME } = process.env;
  const own = { ISSUER: stack.authUrl, RESOURCES: stack.mcpUrl, DATA_DIR: stack.dataDir, ...ENV };
  const program = [fileURLToPath(new URL('../../auth-server/src/main.ts', import.meta.url)), ...line.split(' ')];
  return spawnSync(process.execPath, program, { cwd: ROOT, env: { PATH, HOME, ...own }, encoding: 'utf8' });
}

async function connect(token: string): Promise<Client> {
  const client = new Client({ name: 'cron', version: '1.0.0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { requestInit }));
  return client;
}

const whoami = async (client: Client) => JSON.stringify(await client.callTool({ name: 'whoami', arguments: {} }));

describe('a token of a service', () => {
  it('the token calls a tool as the service, without a browser and without a request to auth-server', async () => {
    const { stdout, stderr, status } = type('tokens add nightly --scopes mcp:tools');
    expect([stderr, status]).toEqual([expect.stringContaining('It is not shown again.'), 0]);
    const client = await connect(stdout.trim());
    expect(await whoami(client)).toContain('service:nightly');
    await client.close();
  });

  it('a token that was ended is refused within STATUS_MAX_AGE, and the other one of the service goes on', async () => {
    const [ended, other] = ['add nightly', 'add nightly'].map((line) =>
      type(`tokens ${line} --scopes mcp:tools --json`),
    );
    const { token, id } = JSON.parse(ended?.stdout ?? '');
    const clients = await Promise.all([connect(token), connect(JSON.parse(other?.stdout ?? '').token)]);
    for (const client of clients) expect(await whoami(client)).toContain('service:nightly');
    expect(type(`tokens end ${id}`).stdout).toBe(`Ended ${id} of service:nightly.\n`);
    const [first, second] = clients;
    await expect.poll(async () => first && whoami(first).catch((error: { code?: number }) => error.code)).toBe(401);
    expect(second && (await whoami(second))).toContain('service:nightly');
    await second?.close();
  });

  it('RFC 7517 §5 a personal key that was ended verifies nothing more, long before JWKS_MAX_AGE', async () => {
    const client = await connect(type('tokens add nightly --scopes mcp:tools').stdout.trim());
    expect(await whoami(client)).toContain('service:nightly');
    const [{ kid }] = JSON.parse(type('keys list --personal --json').stdout);
    expect(type(`keys end -- ${kid}`).status).toBe(0);
    await expect.poll(() => whoami(client).catch((error: { code?: number }) => error.code)).toBe(401);
    await client.close();
    const next = await connect(type('tokens add nightly --scopes mcp:tools').stdout.trim());
    expect(await whoami(next)).toContain('service:nightly');
    await next.close();
  });
});
