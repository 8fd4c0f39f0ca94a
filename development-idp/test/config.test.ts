/** Owns the proof that nobody runs the development IdP by accident. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

describe('the development IdP', () => {
  it('refuses to start in production, with one line and exit code 1', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const env = { ...process.env, NODE_ENV: 'production' };
    const { status, stderr } = spawnSync(process.execPath, [main], { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr.trim()).toBe(
      'development-idp: NODE_ENV: the development IdP signs anybody in, so it never runs in production',
    );
  });

  it('knows where it and its one client are', () => {
    expect(readConfig({})).toMatchObject({ url: 'http://localhost:9001', issuer: 'http://localhost:9000' });
  });
});
