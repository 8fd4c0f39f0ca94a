/** Proves that the compile cache of an image is complete, and that a service starts as usual with one that does not fit. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, globSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-compiled-'));
const NODE_COMPILE_CACHE = join(folder, 'compiled');

/** The lines that Node.js writes about a file: whether what is kept of it was used. */
const DEBUG = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };

async function start(env: NodeJS.ProcessEnv): Promise<string> {
  const [port] = await freePorts(1);
  const settings = { DEVELOPMENT_IDP_URL: `http://localhost:${port}`, NODE_COMPILE_CACHE, ...env };
  // A file, because Node.js drops lines about its cache when a pipe is full.
  const path = join(folder, `${port}.log`);
  const log = openSync(path, 'w');
  const child = spawn(process.execPath, ['development-idp/src/main.ts'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = once(child, 'exit');
  await expect.poll(() => readFileSync(path, 'utf8')).toContain('"msg":"ready"');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  return readFileSync(path, 'utf8');
}

/** The files whose cache was read, and those of which it does not exist or does not fit. */
function readFiles(output: string): { readonly used: string[]; readonly others: string[] } {
  const [used, others]: [string[], string[]] = [[], []];
  for (const [, file = '', outcome = ''] of output.matchAll(/reading cache from \S+ for \w+ (\S+?)\.\.\.(.*)/g)) {
    (outcome.includes('success') ? used : others).push(file);
  }
  return { used, others };
}

describe('the compile cache', () => {
  beforeAll(() => {
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE, PORT: '0' };
    const program = '../shared/src/start/precompile.ts';
    execFileSync(process.execPath, [program], { cwd: join(ROOT, 'development-idp'), env, stdio: 'pipe' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('a start uses the cache that the build of an image makes for every file, and adds nothing to it', async () => {
    const output = await start(DEBUG);
    const { used, others } = readFiles(output);
    expect(others).toEqual([]);
    expect(used.length).toBeGreaterThan(300);
    expect(used.filter((file) => file.endsWith('development-idp/src/main.ts'))).not.toEqual([]);
    expect(output.split('\n').filter((line) => /was rejected|writing cache/.test(line))).toEqual([]);
  });

  it('the thread that ends a start which hangs reads no file', async () => {
    const empty = await start({ ...DEBUG, NODE_COMPILE_CACHE: join(folder, 'empty') });
    expect(empty).toContain('development-idp/src/main.ts');
    expect(empty).not.toContain('[worker eval]');
  });

  it('a service starts with a cache that cannot be written', async () => {
    await start({ NODE_COMPILE_CACHE: join(ROOT, 'package.json', 'compiled') });
  });

  it('a service starts with a cache whose files are damaged', async () => {
    const files = globSync('*/*', { cwd: NODE_COMPILE_CACHE });
    expect(files.length).toBeGreaterThan(300);
    for (const file of files) writeFileSync(join(NODE_COMPILE_CACHE, file), 'x'.repeat(200));
    const { used, others } = readFiles(await start(DEBUG));
    expect(used).toEqual([]);
    expect(others.length).toBeGreaterThan(300);
  });
});
