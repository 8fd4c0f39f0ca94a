/** Proves that `npm run configure` tries a connection to a real OpenID provider, as an operator runs it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

function configure(id: string, secret: string) {
  const { PATH, HOME } = process.env;
  const options = {
    'server-url': stack.authUrl,
    issuer: stack.idpUrl,
    'client-id': 'auth-server',
    allow: 'anyone',
    print: 'env',
  };
  const words = Object.entries({ provider: 'oidc', id, ...options }).flatMap(([name, value]) => [`--${name}`, value]);
  const env = { PATH, HOME, [`CONNECTOR_${id.toUpperCase()}_CLIENT_SECRET`]: secret };
  const { status, stdout } = spawnSync('npm', ['run', '-s', 'configure', '--', ...words], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
  return {
    status,
    findings: stdout
      .match(/^[✓✗].*/gm)
      ?.map((line) => line.slice(0, 1))
      .join(''),
    stdout,
  };
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
});
