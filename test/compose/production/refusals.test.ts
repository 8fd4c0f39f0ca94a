/**
 * Owns the proof on a real engine that the production set-up starts with what it needs and with nothing less: each unsafe or
 * missing setting stops the start with one line that names it.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Composed } from './composed.ts';
import { print } from './figures.ts';
import { commandsUnder } from './readme.ts';

const ENV = {
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://login.acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'mcp',
  CONNECTOR_ACME_CLIENT_SECRET_FILE: '/run/connectors/acme',
};

/** 443, unless a developer has something else there. */
const PORT = process.env.HTTPS_PORT ?? '443';
const ORIGIN = PORT === '443' ? 'https://localhost' : `https://localhost:${PORT}`;

describe('the production set-up', () => {
  const files = ['docker-compose.yml', 'deploy/compose/production.yml', ...(PORT === '443' ? [] : ['ports.yml'])];
  const composed = new Composed('mcp-oauth-production', { COMPOSE_FILE: files.join(':') });
  const secret = (name: string) => join(composed.folder, 'secrets', name);
  const write = (path: string, content: string) => writeFileSync(join(composed.folder, path), content);
  const settings = (changed: Readonly<Record<string, string>> = {}) =>
    write(
      '.env',
      Object.entries({ PUBLIC_URL: ORIGIN, ...ENV, ...changed })
        .map((pair) => `${pair.join('=')}\n`)
        .join(''),
    );

  const [folders = '', secrets = '', up = '', ...others] = commandsUnder('On the internet');

  beforeAll(async () => {
    expect([folders, up, others], "README's commands").toEqual([
      'mkdir -m 700 secrets && mkdir secrets/connectors',
      expect.stringMatching(/^PUBLIC_URL=https:\/\/mcp\.example\.com docker compose .*production\.yml up /),
      [],
    ]);
    write('ports.yml', `services: { gateway: { ports: !override ["127.0.0.1:${PORT}:${PORT}"] } }\n`);
    settings();
    await composed.sh(folders);
    await composed.sh('docker compose build');
  }, 300_000);
  beforeEach(async () => {
    settings();
    await composed.sh(`${secrets}; openssl rand -base64 32 >secrets/connectors/acme`);
  });
  afterAll(() => composed[Symbol.asyncDispose](), 120_000);

  /** What a service says that does not start. */
  const refusal = async (service: string): Promise<string[]> => {
    const { code, said } = await composed.attempt(`timeout 20 docker compose run --rm --no-deps -T ${service} 2>&1`);
    expect([1, 15], said).toContain(code);
    // Of compose's own words only those about networks and volumes that it makes.
    return said.split('\n').filter((line) => line && !/^ (Network|Volume) /.test(line));
  };

  /** A newer compose warns of the file before the engine refuses it. */
  const missing = (name: string) =>
    new RegExp(`source path does not exist: .*secrets/${name}|secret file \\S+_${name} does not`);
  const DEFAULTS = /^\S+: (\w+): is a secret of the development set-up/;
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
      /^auth-server: CONNECTORS: the development sign-in lets anybody in/,
      () => settings({ CONNECTORS: 'acme,development' }),
    ],
    ['no identity provider', 'auth-server', /^auth-server: CONNECTORS: /, () => settings({ CONNECTORS: '' })],
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
      'one Redis password for two',
      'redis',
      /^redis: two of the secrets redis-<user> are the same/,
      () => {
        for (const name of ['redis-mcp-server', 'redis-auth-server']) spoil(name, 'one for both, and long enough');
      },
    ],
    ['no storage key', 'auth-server', missing('storage-keys'), () => remove('storage-keys')],
    ['no Redis password', 'redis', missing('redis-mcp-server'), () => remove('redis-mcp-server')],
    [
      'no client secret',
      'auth-server',
      /^auth-server: CONNECTOR_ACME_CLIENT_SECRET: the file .* can't be read/,
      () => remove('connectors/acme'),
    ],
  ])('%s: %s does not start, and says which', async (_, service, line, disturb) => {
    disturb();
    const said = await refusal(service);
    expect(said).not.toEqual([]);
    for (const each of said) expect(each).toMatch(line);
    expect(new Set(said).size, 'a line for each setting').toBe(said.length);
  });

  const KNOWN = 'development-only-and-known-to-everybody';
  const spoil = (name: string, content: string) => writeFileSync(secret(name), content);
  const remove = (name: string) => rmSync(secret(name));

  it('is up at an https origin by itself, without the development IdP', async () => {
    const seconds = await composed.timed(
      up.replace('https://mcp.example.com', ORIGIN).replace(' up ', PORT === '443' ? ' up ' : ' -f ports.yml up '),
    );
    const running = await composed.running();
    expect(running.map(({ service }) => service).sort()).toEqual(['auth-server', 'gateway', 'mcp-server', 'redis']);
    const ca = await composed.sh('docker compose exec -T gateway cat /data/caddy/pki/authorities/local/root.crt');
    const get = async (path: string) => {
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        request(ORIGIN + path, { ca, agent: false }, resolve)
          .on('error', reject)
          .end();
      });
      return { status: response.statusCode, headers: response.headers, body: await text(response) };
    };
    expect((await get('/')).body).toContain(`${ORIGIN}/mcp`);
    for (const path of ['/', '/jwks', '/livez', '/nothing']) {
      expect((await get(path)).headers['strict-transport-security'], `RFC 6797 §7.1 ${path}`).toBe('max-age=31536000');
    }
    const protectedResource = JSON.parse((await get('/.well-known/oauth-protected-resource/mcp')).body);
    expect(protectedResource).toMatchObject({ resource: `${ORIGIN}/mcp`, authorization_servers: [ORIGIN] });
    const server = await get('/.well-known/oauth-authorization-server');
    expect(JSON.parse(server.body)).toMatchObject({ issuer: ORIGIN, token_endpoint: `${ORIGIN}/token` });
    for (const path of ['/accepting', '/livez', '/readyz', '/metrics'])
      expect((await get(path)).status, path).toBe(404);
    print('production, up at https', `${seconds.toFixed(1)} s`);
  });
});
