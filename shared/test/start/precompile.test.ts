/** Proves that an image of a version that does not start can be built: its health check finds the fault, while the old one serves. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const PRECOMPILE = fileURLToPath(new URL('../../src/start/precompile.ts', import.meta.url));

it('the step that compiles for an image names a source that does not load, and does not fail', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-precompile-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'src', 'broken.ts'), "throw new Error('broken');\n");
  writeFileSync(join(folder, 'src', 'main.ts'), "import './broken.ts';\n");
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const { status, stderr } = spawnSync(process.execPath, [PRECOMPILE], { cwd: folder, env, encoding: 'utf8' });
  expect(stderr).toContain('not compiled: src/broken.ts: Error: broken');
  expect(stderr).toContain('not compiled: src/main.ts: Error: broken');
  expect(status).toBe(0);
});
