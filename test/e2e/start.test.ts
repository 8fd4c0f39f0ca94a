/** Proves that `npm start` is one command: ready quickly, one clear line when it cannot start, one signal to end it. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { newerSecurityRelease } from '@mcp-oauth/shared/start/security-release';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { describe, expect, it } from 'vitest';
import { ROOT, Run, Stack } from '../support/stack.ts';

const urls = async () => {
  const [mcp, auth, idp] = await freePorts(3);
  return {
    mcp: mcp ?? 0,
    env: {
      PUBLIC_URL: `http://localhost:${mcp}`,
      ISSUER: `http://localhost:${auth}`,
      DEVELOPMENT_IDP_URL: `http://localhost:${idp}`,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'mcp-oauth-start-')),
    },
  };
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const isAlive = async (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** Reads until the stream contains `text`, and no further. */
const untilSays = async (stream: Readable, text: string): Promise<void> => {
  let said = '';
  for await (const chunk of stream) {
    said += chunk;
    if (said.includes(text)) return;
  }
  throw new Error(`ended without saying "${text}":\n${said}`);
};

describe('npm start', () => {
  it('npm start prints the URL and a configuration for the usual clients, prefixes logs, and ends on one signal', async () => {
    await using stack = await Stack.start();
    const { run } = stack;
    expect(run.output).toContain(`MCP server   ${stack.mcpUrl}/mcp`);
    for (const client of ['Cursor', 'VS Code', 'Claude Code', 'Inspector']) expect(run.output).toContain(client);
    for (const part of ['mcp-server', 'auth-server', 'development-idp']) {
      expect(run.output).toMatch(new RegExp(`${part} +│ .*ready`));
    }
    const { node } = process.versions;
    const warnings = run.output.match(/this release of Node\.js has known security vulnerabilities/g) ?? [];
    expect(warnings).toHaveLength(newerSecurityRelease(node) ? 1 : 0);
    expect(existsSync(join(stack.dataDir, 'auth-server.sqlite'))).toBe(true);
    const { code } = await run.stop('SIGINT');
    expect(code).toBe(0);
    for (const url of [stack.mcpUrl, stack.authUrl, stack.idpUrl]) expect(await isAlive(url)).toBe(false);
  });

  it('npm start listens on loopback addresses only', async () => {
    await using stack = await Stack.start();
    const port = new URL(stack.mcpUrl).port;
    for (const host of ['127.0.0.1', '[::1]']) expect(await isAlive(`http://${host}:${port}/livez`)).toBe(true);
    expect(await isAlive(`http://127.0.0.2:${port}/livez`)).toBe(false);
  });

  it('npm start ends with one line and code 1 when a port is busy', async () => {
    const { env, mcp } = await urls();
    const busy = createServer().listen(mcp, '127.0.0.1');
    const { code, output } = await new Run(env).ended;
    busy.close();
    expect(code).toBe(1);
    expect(complaints(output)).toEqual([
      `mcp-server: port ${mcp} on 127.0.0.1 is already in use by another program; choose another one with PUBLIC_URL`,
    ]);
  });

  it('npm start ends with one line and code 1 for an invalid setting, naming the variable', async () => {
    const { env } = await urls();
    const { code, output } = await new Run({ ...env, LOG_LEVEL: 'loud' }).ended;
    expect(code).toBe(1);
    expect(complaints(output)).toEqual([
      expect.stringMatching(/^[a-z-]+: LOG_LEVEL: expected one of .* \(got "loud"\)$/),
    ]);
  });

  it('npm start ends with one line and code 1 when the data folder is unusable', async () => {
    const { env } = await urls();
    const file = join(env.DATA_DIR, 'a-file');
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    const { code, output } = await new Run({ ...env, DATA_DIR: file }).ended;
    expect(code).toBe(1);
    expect(complaints(output)).toEqual([expect.stringMatching(/^auth-server: DATA_DIR/)]);
  });

  it('npm start with NODE_ENV=production refuses every unsafe default of every service by name', async () => {
    const { env } = await urls();
    const { code, output } = await new Run({ ...env, NODE_ENV: 'production' }).ended;
    expect(code).toBe(1);
    expect(output).not.toContain('Ctrl-C');
    const names = complaints(output).map((line) => line.split(':').slice(0, 2).join(':'));
    // Either service may report it first.
    const once = names.map((name) => name.replace(/.+: ISSUER$/, 'ISSUER'));
    expect(once.sort()).toEqual([
      'ISSUER',
      'auth-server: CONNECTORS',
      'auth-server: REDIS_URL',
      'auth-server: RESOURCES',
      'auth-server: STORAGE_KEYS',
      'mcp-server: PUBLIC_URL',
    ]);
  });

  it('auth-server in production ends with one line and code 1 without a rule that says who may come in', async () => {
    const [port] = await freePorts(1);
    const env = {
      NODE_ENV: 'production',
      PORT: String(port),
      ISSUER: 'https://auth.example.com',
      RESOURCES: 'https://mcp.example.com',
      STORAGE: 'sqlite',
      DATA_DIR: mkdtempSync(join(tmpdir(), 'mcp-oauth-start-')),
      STORAGE_KEYS: randomBytes(32).toString('base64'),
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: 'https://login.acme.example',
      CONNECTOR_ACME_CLIENT_ID: 'mcp',
      CONNECTOR_ACME_CLIENT_SECRET: 'a secret of the operator',
    };
    const { code, output } = await new Run(env, 'auth-server/src/main.ts').ended;
    expect([code, output.trim().split('\n')]).toEqual([
      1,
      [
        expect.stringMatching(
          /^auth-server: CONNECTOR_ACME_ALLOW: is required in production, because it says who may /,
        ),
      ],
    ]);
    const started = new Run({ ...env, CONNECTOR_ACME_ALLOW: 'domain:acme.example' }, 'auth-server/src/main.ts');
    await started.says('"msg":"ready"');
    expect((await started.stop()).code).toBe(0);
  });

  it('npm start ends with one line and code 1 when HOST is not an address of this machine', async () => {
    const { env } = await urls();
    const { code, output } = await new Run({ ...env, HOST: '192.0.2.1' }).ended;
    expect(code).toBe(1);
    expect(complaints(output)).toEqual([expect.stringMatching(/: HOST: 192.0.2.1 is not an address of this machine$/)]);
  });

  it('a single service ends with its npm process', async () => {
    const { env, mcp } = await urls();
    const npm = spawn('npm', ['start', '--workspace', '@mcp-oauth/mcp-server'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await untilSays(npm.stdout, '"ready"');
    expect(await isAlive(`http://localhost:${mcp}/livez`)).toBe(true);
    npm.kill('SIGTERM');
    await expect.poll(() => isAlive(`http://localhost:${mcp}/livez`), { timeout: 30_000 }).toBe(false);
  });

  it('the services end with npm, although npm does not pass a SIGTERM on', async () => {
    const { env, mcp } = await urls();
    const npm = spawn('npm', ['start'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await untilSays(npm.stdout, 'Ctrl-C');
    expect(await isAlive(`http://localhost:${mcp}/livez`)).toBe(true);
    npm.kill('SIGTERM');
    await expect.poll(() => isAlive(`http://localhost:${mcp}/livez`), { timeout: 30_000 }).toBe(false);
  });

  it('a killed npm start leaves no process behind, although nobody reads the logs any more', async () => {
    await using stack = await Stack.start();
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(stack.run.pid)], { encoding: 'utf8' });
    const pids = children.trim().split(/\s+/).map(Number);
    expect(pids).toHaveLength(3);
    await stack.run.stop('SIGKILL');
    await expect.poll(() => pids.filter(isRunning), { timeout: 30_000 }).toEqual([]);
  });
});

/** The lines that are not log lines of a service. */
const complaints = (output: string): string[] => output.split('\n').filter((line) => line && !line.includes('│'));
