/**
 * Proves that a job without a person can call tools (RFC 6749 §4.4): the SDKs' own machine clients and the terminal client, with a secret
 * and with a key.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v2 from '@modelcontextprotocol/client';
import * as v1auth from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run, Stack } from '../support/stack.ts';

const SECRET = 'a-secret-of-the-nightly-job';
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const pem = await exportPKCS8(privateKey);

const CLIENTS = [
  { client_id: 'secret-job', client_secret: SECRET, grant_types: ['client_credentials'] },
  {
    client_id: 'key-job',
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] },
  },
];

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ CLIENTS: JSON.stringify(CLIENTS) });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const secret = { clientId: 'secret-job', clientSecret: SECRET };
const key = { clientId: 'key-job', privateKey: pem, algorithm: 'ES256' };

const whoami = { name: 'whoami', arguments: {} };

describe('RFC 6749 §4.4 a machine client calls a tool', () => {
  it.each([
    ['secret-job', (expectedIssuer: string) => new v1auth.ClientCredentialsProvider({ ...secret, expectedIssuer })],
    ['key-job', (expectedIssuer: string) => new v1auth.PrivateKeyJwtProvider({ ...key, expectedIssuer })],
  ])('SDK v1 calls a tool as %s', async (id, provider) => {
    const client = new Client({ name: 'job', version: '1.0.0' });
    const authProvider = provider(stack.authUrl);
    await client.connect(new StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { authProvider }));
    expect(JSON.stringify(await client.callTool(whoami))).toContain(id);
    await client.close();
  });

  it.each([
    ['secret-job', (expectedIssuer: string) => new v2.ClientCredentialsProvider({ ...secret, expectedIssuer })],
    ['key-job', (expectedIssuer: string) => new v2.PrivateKeyJwtProvider({ ...key, expectedIssuer })],
  ])('SDK v2 calls a tool as %s', async (id, provider) => {
    const client = new v2.Client({ name: 'job', version: '1.0.0' });
    const authProvider = provider(stack.authUrl);
    await client.connect(new v2.StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { authProvider }));
    expect(JSON.stringify(await client.callTool(whoami))).toContain(id);
    await client.close();
  });

  it.each([
    ['secret-job', () => []],
    ['key-job', (path: string) => ['--client-key', path]],
  ])('the terminal client calls a tool as %s after login --client-credentials', async (id, words) => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-machine-'));
    const path = join(folder, 'key.pem');
    writeFileSync(path, pem);
    const client = (...args: readonly string[]) =>
      new Run({ XDG_CONFIG_HOME: folder, MCP_CLIENT_SECRET: SECRET }, [
        ...['client/src/main.ts', `${stack.mcpUrl}/mcp`, ...args],
      ]).ended;
    const login = await client('login', '--client-credentials', '--client-id', id, ...words(path));
    expect(login, login.output).toMatchObject({ code: 0 });
    expect((await client('call', 'whoami')).output).toContain(id);
    rmSync(folder, { recursive: true });
  });
});
