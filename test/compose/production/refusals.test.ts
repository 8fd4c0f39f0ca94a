/**
 * Proves on a real engine that the production setup refuses to start with an unsafe or missing setting, and names it in
 * one line.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commands, Operator } from './operator.ts';

describe('the production set-up', () => {
  const operator = new Operator();
  const { composed } = operator;
  const settings = (changed: Readonly<Record<string, string>>) => operator.settings(changed);
  const spoil = (name: string, content: string) => operator.writeSecret(name, content);
  const remove = (name: string) => operator.removeSecret(name);

  beforeAll(async () => {
    operator.settings();
    await composed.sh(commands.folders);
    await composed.sh('docker compose build');
  }, 300_000);
  beforeEach(async () => {
    operator.settings();
    await composed.sh(`${commands.secrets}; openssl rand -base64 32 >secrets/connectors/acme`);
  });
  afterAll(() => operator[Symbol.asyncDispose](), 120_000);

  /** The output of a service that does not start. */
  const refusal = async (service: string): Promise<string[]> => {
    const { code, said } = await composed.attempt(`timeout 20 docker compose run --rm --no-deps -T ${service} 2>&1`);
    expect([1, 15], said).toContain(code);
    // Of compose's own output only lines about networks and volumes that it makes.
    return said.split('\n').filter((line) => line && !/^ (Network|Volume) /.test(line));
  };

  /** A newer compose warns about the file before the engine refuses it. */
  const missing = (name: string) =>
    new RegExp(`source path does not exist: .*secrets/${name}|secret file \\S+_${name} does not`);
  const KNOWN = 'development-only-and-known-to-everybody';
  const DEFAULTS = /^\S+: (\w+): is a secret of the development setup/;
  it.each<readonly [title: string, service: string, RegExp, spoil: () => void]>([
    ['no PUBLIC_URL', 'mcp-server', /variable PUBLIC_URL is missing a value/, () => settings({ PUBLIC_URL: '' })],
    [
      'an http issuer',
      'auth-server',
      /^auth-server: (ISSUER|RESOURCES): must use https in production/,
      () => settings({ PUBLIC_URL: 'http://mcp.example.com' }),
    ],
    [
      'an http PUBLIC_URL',
      'mcp-server',
      /^mcp-server: (ISSUER|PUBLIC_URL): must use https in production/,
      () => settings({ PUBLIC_URL: 'http://mcp.example.com' }),
    ],
    [
      'the development IdP',
      'auth-server',
      /^auth-server: CONNECTORS: the development sign-in accepts anybody/,
      () => settings({ CONNECTORS: 'acme,development' }),
    ],
    [
      'no rule that says who may come in',
      'auth-server',
      /^auth-server: CONNECTOR_ACME_ALLOW: is required in production, because it says who may come in/,
      () => settings({ CONNECTOR_ACME_ALLOW: '' }),
    ],
    [
      'no identity provider',
      'auth-server',
      /^auth-server: (CONNECTORS: |CONNECTOR_ACME_\w+: is for a connector that CONNECTORS does not name$)/,
      () => settings({ CONNECTORS: '' }),
    ],
    ['the Redis password that everybody knows', 'mcp-server', DEFAULTS, () => spoil('redis-mcp-server', KNOWN)],
    ['the same of auth-server', 'auth-server', DEFAULTS, () => spoil('redis-auth-server', KNOWN)],
    ['the client secret that everybody knows', 'auth-server', DEFAULTS, () => spoil('connectors/acme', KNOWN)],
    ['the storage key that everybody knows', 'auth-server', DEFAULTS, () => spoil('storage-keys', KNOWN)],
    ['an empty storage key', 'auth-server', /^auth-server: STORAGE_KEYS: /, () => spoil('storage-keys', '')],
    [
      'an empty Redis password',
      'redis',
      /^redis: the secret redis-mcp-server is missing/,
      () => spoil('redis-mcp-server', ''),
    ],
    [
      'an empty Redis password of auth-server',
      'redis-authorization',
      /^redis: the secret redis-auth-server is missing/,
      () => spoil('redis-auth-server', ''),
    ],
    ['no storage key', 'auth-server', missing('storage-keys'), () => remove('storage-keys')],
    ['no Redis password', 'redis', missing('redis-mcp-server'), () => remove('redis-mcp-server')],
    [
      'no client secret',
      'auth-server',
      /^auth-server: CONNECTOR_ACME_CLIENT_SECRET: the file .* can't be read/,
      () => remove('connectors/acme'),
    ],
  ])('%s: %s does not start, and names the setting', async (_, service, line, disturb) => {
    disturb();
    const said = await refusal(service);
    expect(said).not.toEqual([]);
    for (const each of said) expect(each).toMatch(line);
    expect(new Set(said).size, 'a line for each setting').toBe(said.length);
  });
});
