/**
 * Proves that the development IdP does not start by accident: production, a public address or a missing setting stops
 * it.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compose } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';

describe('the development IdP', () => {
  it('the development IdP refuses to start in production, with one line and exit code 1', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const env = { ...process.env, NODE_ENV: 'production' };
    const { status, stderr } = spawnSync(process.execPath, [main], { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr.trim()).toBe(
      'development-idp: NODE_ENV: the development IdP signs anybody in, so it never runs in production',
    );
  });

  it('the development IdP listens on the port of its URL, unless PORT names another', async () => {
    const portOf = async (env: Record<string, string>) => (await compose(env)).listen.port;
    expect(await portOf({ DEVELOPMENT_IDP_URL: 'http://localhost:1234' })).toBe(1234);
    expect(await portOf({ DEVELOPMENT_IDP_URL: 'http://localhost:1234', PORT: '9001' })).toBe(9001);
  });

  it('the development IdP has a default URL and a default issuer for its one client', () => {
    expect(readConfig({})).toMatchObject({ url: 'http://localhost:9001', issuer: 'http://localhost:9000' });
  });
});
