/** Proves that `npm run configure` tries a connection to a real OpenID provider, as an operator runs it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TENANT } from '../../auth-server/test/support/vendors.ts';
import { Stack } from '../support/stack.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

/** Runs the command with these options, and finds its ticks and crosses. */
function run(options: Readonly<Record<string, string | boolean>>, env: Readonly<Record<string, string>>) {
  const { PATH, HOME } = process.env;
  const all: readonly [string, string | boolean][] = [...Object.entries(options), ['print', 'env']];
  const words = all.flatMap(([name, value]) => (typeof value === 'string' ? [`--${name}`, value] : [`--${name}`]));
  const { status, stdout } = spawnSync('npm', ['run', '-s', 'configure', '--', ...words], {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    encoding: 'utf8',
  });
  const findings = stdout.match(/^[✓✗].*/gm)?.map((line) => line.slice(0, 1));
  return { status, findings: findings?.join(''), stdout };
}

function configure(id: string, secret: string) {
  const options = { 'server-url': stack.authUrl, issuer: stack.idpUrl, 'client-id': 'auth-server', allow: 'anyone' };
  return run({ provider: 'oidc', id, ...options }, { [`CONNECTOR_${id.toUpperCase()}_CLIENT_SECRET`]: secret });
}

describe('npm run configure', () => {
  it('a connection that works is found to work, and the settings are printed', () => {
    const { status, findings, stdout } = configure('development', 'development-only-secret');
    expect([findings, status], stdout).toEqual(['✓✓✓', 0]);
    expect(stdout).toContain(`CONNECTOR_DEVELOPMENT_ISSUER=${stack.idpUrl}\n`);
    expect(stdout).toContain('CONNECTOR_DEVELOPMENT_ALLOW=anyone\n');
  });

  it('a redirect URI that is not registered is found, with the provider’s own words', () => {
    const { findings, status, stdout } = configure('acme', 'development-only-secret');
    expect([findings, status], stdout).toEqual(['✓✗✓', 1]);
    expect(stdout).toContain(`Is ${stack.authUrl}/callback/acme registered there as a redirect URI?`);
  });

  it('RFC 6749 §5.2 a wrong client secret is found', () => {
    const { findings, status, stdout } = configure('development', 'another-secret');
    expect([findings, status], stdout).toEqual(['✓✓✗', 1]);
    expect(stdout).not.toContain('✗ it accepts the client id and secret: another-secret');
  });

  it('a preset is set up with the settings of its kind: entra, by its tenant', () => {
    const rule = 'group:b1a2c3d4-0000-4000-8000-123456789abc';
    const options = { provider: 'entra', tenant: TENANT, 'client-id': 'client', allow: rule, 'no-test': true };
    const { status, stdout } = run(options, { CONNECTOR_ENTRA_CLIENT_SECRET: 'secret' });
    expect(status, stdout).toBe(0);
    expect(stdout).toContain('redirect URI of the platform Web: http://localhost:9000/callback/entra\n');
    expect(stdout.split('\n').filter((line) => line.startsWith('CONNECTOR'))).toEqual([
      'CONNECTORS=entra',
      'CONNECTOR_ENTRA_CLIENT_ID=client',
      'CONNECTOR_ENTRA_CLIENT_SECRET=secret',
      `CONNECTOR_ENTRA_TENANT=${TENANT}`,
      `CONNECTOR_ENTRA_ALLOW=${rule}`,
    ]);
  });
});
