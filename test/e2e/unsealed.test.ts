/** Proves that production does not use unencrypted keys from its store, and how old unencrypted keys are migrated. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

it('CWE-311 an unsealed keyring ends a start in production; STORAGE_READ_UNSEALED seals it with the same keys', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unsealed-'));
  const [port] = await freePorts(1);
  const start = (env: NodeJS.ProcessEnv) =>
    new Run({ PORT: String(port), DATA_DIR: folder, ...env }, 'auth-server/src/main.ts');
  const keysOf = async (run: Run) => {
    await run.says('"msg":"ready"');
    const response = await fetch(`http://127.0.0.1:${port}/jwks`, { headers: { host: 'auth.example.com' } });
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    await run.stop();
    return keys.map(({ kid }) => kid);
  };
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://auth.example.com',
    RESOURCES: 'https://mcp.example.com',
    STORAGE: 'sqlite',
    STORAGE_KEYS: Buffer.from('thirty-two bytes that are drawn.').toString('base64'),
    CONNECTORS: 'github',
    CONNECTOR_GITHUB_CLIENT_ID: 'id',
    CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
    PEOPLE_ALLOW: 'domain:example.com',
  };
  const before = await keysOf(start({}));

  const complaintsOf = async (env: NodeJS.ProcessEnv) => {
    const { code, output } = await start(env).ended;
    expect(code).toBe(1);
    expect(output).not.toMatch(/^\s+at /m);
    return output.split('\n').filter((line) => line.startsWith('auth-server: '));
  };
  expect(await complaintsOf(production)).toEqual([
    expect.stringMatching(/^auth-server: STORAGE_KEYS: Keyring:\w+ in the store is not encrypted/),
  ]);

  expect(await keysOf(start({ ...production, STORAGE_READ_UNSEALED: 'true' }))).toEqual(before);
  expect(await keysOf(start(production))).toEqual(before);

  expect(await complaintsOf({})).toEqual([
    'auth-server: STORAGE_KEYS: is not set, but the keys in the store are encrypted: set it as it was, or begin with an empty store',
  ]);

  const another = Buffer.from('another thirty-two bytes, drawn.').toString('base64');
  expect(await complaintsOf({ ...production, STORAGE_KEYS: another })).toEqual([
    expect.stringMatching(
      /^auth-server: STORAGE_KEYS: Keyring:\w+ is encrypted with the key \S+, which is not among them/,
    ),
  ]);
  rmSync(folder, { recursive: true, force: true });
});
