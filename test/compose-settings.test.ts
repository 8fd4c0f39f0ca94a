/**
 * Proves that auth-server starts with the settings of the compose files beside those of the pages, whatever the identity provider,
 * and that nobody has a scope beyond the base scope before the operator says who; and that mcp-server gets what the operator says of
 * an existing issuer.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@mcp-oauth/shared/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeAccess } from '../auth-server/src/compose/access.ts';
import { type Config, readConfig } from '../auth-server/src/config.ts';
import type { Identity } from '../auth-server/src/federation/connector.ts';
import { discoverKinds } from '../auth-server/src/federation/registry.ts';
import { appleKey } from '../auth-server/test/support/vendors.ts';
import { readConfig as readDevelopmentIdp } from '../development-idp/src/config.ts';
import { issuerSettings } from '../mcp-server/src/authorization/issuer/settings.ts';
import { severalSettings } from '../mcp-server/src/authorization/issuer/several.ts';
import { readConfig as readMcpServer } from '../mcp-server/src/config.ts';
import { connectorsOn, documentedIssuers } from './support/documented-settings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PRODUCTION = ['docker-compose.yml', 'deploy/compose/production.yml'];
const REQUIRED = 'deploy/compose/existing-issuer.env';
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
const kinds = await discoverKinds(new URL('../auth-server/src/connectors/', import.meta.url));

type Environment = Readonly<Record<string, string>>;

const room = { folder: '' };
beforeEach((context) => {
  context.skip(!hasCompose, 'needs the docker compose plugin: see .ci/compose-plugin.sh');
  room.folder = mkdtempSync(join(tmpdir(), 'compose-settings-'));
});
afterEach(() => {
  if (room.folder) rmSync(room.folder, { recursive: true });
});

/** The environment of a service in its container, with the secrets in a folder of the test. */
function environmentOf(service: string, files: readonly string[], env: Environment): Environment {
  for (const file of files) {
    cpSync(join(ROOT, file), join(room.folder, file.replaceAll('/', '-')));
  }
  // The one file that a compose file names besides itself and .env.
  cpSync(join(ROOT, REQUIRED), join(room.folder, REQUIRED), { recursive: true });
  const lines = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  writeFileSync(join(room.folder, '.env'), lines.join('\n'));
  for (const secret of ['redis-auth-server', 'redis-mcp-server', 'storage-keys']) {
    writeFileSync(join(room.folder, secret), randomBytes(32).toString('base64'));
  }
  const named = files.flatMap((file) => ['-f', file.replaceAll('/', '-')]);
  const { PATH = '', HOME = '' } = process.env;
  const json = execFileSync('docker', ['compose', ...named, 'config', '--format', 'json'], {
    cwd: room.folder,
    env: { PATH, HOME },
    encoding: 'utf8',
    stdio: 'pipe',
  });
  const { environment } = JSON.parse(json).services[service] as { environment: Record<string, string | null> };
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== null);
  const inRoom = (value: string) => value.replace('/run/secrets/', `${room.folder}/`);
  return Object.fromEntries(given.map(([name, value]) => [name, inRoom(value)]));
}

const configOf = (files: readonly string[], env: Environment): Config =>
  readConfig(environmentOf('auth-server', files, env), kinds);

const log = { info() {}, warn() {}, error() {} } as never;
const identity: Identity = { issuer: 'https://id.example.com', subject: '1', memberships: { group: ['ops'] } };

/** The scopes of a person of the group `ops`, by connector. */
async function scopesIn(config: Config): Promise<Readonly<Record<string, readonly string[]>>> {
  const access = await composeAccess(config, { clock: systemClock, log });
  const scopesOf = (connector: string) =>
    access.permitted({ accountId: '1', connector, identity }, ['mcp:tools', 'mcp:admin'], new Set(['mcp:tools']));
  return Object.fromEntries(config.signIn.map(({ id }) => [id, scopesOf(id)]));
}

const PUBLIC = { PUBLIC_URL: 'https://mcp.example.com' };
const documented = [...connectorsOn('README.md'), ...connectorsOn('docs/identity-providers.md')].map((env) => {
  const { CONNECTORS: id = '' } = env;
  const key = id === 'apple' ? { CONNECTOR_APPLE_PRIVATE_KEY: appleKey.pem } : undefined;
  return [env[`CONNECTOR_${id.toUpperCase()}_TYPE`] ?? id, { ...env, ...key }] as const;
});

describe('docker compose in production', () => {
  it.each(documented)('%s starts with the settings of its page, and mcp:admin is for nobody', async (_, env) => {
    const config = configOf(PRODUCTION, { ...PUBLIC, ...env });
    expect(config.environment).toBe('production');
    expect(Object.values(await scopesIn(config))).toEqual([['mcp:tools']]);
  });

  it('two providers that both know groups start together, and mcp:admin is for nobody', async () => {
    const two = documented.filter(([kind]) => kind === 'okta' || kind === 'auth0').map(([, env]) => env);
    const config = configOf(PRODUCTION, { ...PUBLIC, ...Object.assign({}, ...two), CONNECTORS: 'okta,auth0' });
    expect(await scopesIn(config)).toEqual({ okta: ['mcp:tools'], auth0: ['mcp:tools'] });
  });

  it.each(documented)('%s does not start without the rule that says who may come in', (_, env) => {
    const [name = ''] = Object.keys(env).filter((variable) => variable.endsWith('_ALLOW'));
    const start = () => configOf(PRODUCTION, { ...PUBLIC, ...env, [name]: '' });
    expect(start).toThrow(`${name}: is required in production, because it says who may come in`);
  });

  it('both services get the audit that .env names, and auth-server the operators and personal tokens', () => {
    const okta = documented.find(([kind]) => kind === 'okta')?.[1];
    const audit = { AUDIT: 'file', AUDIT_FILE: '/audit/audit.jsonl', AUDIT_KEY: randomBytes(32).toString('base64') };
    const env = { ...PUBLIC, ...okta, ...audit, ADMINS: 'group:operators', PERSONAL_TOKENS: 'services' };
    const config = configOf(PRODUCTION, env);
    expect(config).toMatchObject({ personalTokens: 'services', audit: 'file', auditFile: '/audit/audit.jsonl' });
    expect(config.admins).toBeDefined();
    const given = environmentOf('mcp-server', PRODUCTION, env);
    expect(readMcpServer(given)).toMatchObject({ audit: 'file', auditFile: '/audit/audit.jsonl' });
    expect(given).not.toHaveProperty('ADMINS');
  });

  it('SCOPE_RULES of the operator replaces the default, and an empty one does not open anything', async () => {
    const okta = documented.find(([kind]) => kind === 'okta')?.[1];
    const own = configOf(PRODUCTION, { ...PUBLIC, ...okta, SCOPE_RULES: 'mcp:admin=group:ops' });
    expect(await scopesIn(own)).toEqual({ okta: ['mcp:tools', 'mcp:admin'] });
    const empty = configOf(PRODUCTION, { ...PUBLIC, ...okta, SCOPE_RULES: '' });
    expect(await scopesIn(empty)).toEqual({ okta: ['mcp:tools'] });
  });
});

describe('docker compose for development', () => {
  it('the development IdP gives mcp:admin to its group ops, beside a connector that knows no groups', async () => {
    expect(await scopesIn(configOf(['docker-compose.yml'], {}))).toEqual({ development: ['mcp:tools', 'mcp:admin'] });
    const github = documented.find(([kind]) => kind === 'github')?.[1];
    const both = configOf(['docker-compose.yml'], { ...github, CONNECTORS: 'development,github' });
    expect(await scopesIn(both)).toEqual({ development: ['mcp:tools', 'mcp:admin'], github: ['mcp:tools'] });
  });

  it('enterprise.yml trusts the development IdP, which issues ID-JAGs for the MCP server, at any port', () => {
    const files = ['docker-compose.yml', 'deploy/compose/enterprise.yml'];
    const env = { HTTP_PORT: '8180', DEVELOPMENT_IDP_PORT: '9101' };
    expect(configOf(files, env).trustedIssuers.enterprise).toMatchObject([
      { issuer: 'http://localhost:9101', connector: 'development', jwksUrl: 'http://development-idp:9001/jwks' },
    ]);
    expect(readDevelopmentIdp(environmentOf('development-idp', files, env))).toMatchObject({
      url: 'http://localhost:9101',
      issuer: 'http://localhost:8180',
      enterpriseServers: ['http://localhost:8180/mcp'],
    });
  });

  it('SCOPE_RULES of the developer replaces the rule of the development IdP', async () => {
    const config = configOf(['docker-compose.yml'], { SCOPE_RULES: 'mcp:admin=email:carol@example.com' });
    expect(await scopesIn(config)).toEqual({ development: ['mcp:tools'] });
  });
});

describe('deploy/compose/existing-issuer.yml', () => {
  const FILES = [...PRODUCTION, 'deploy/compose/existing-issuer.yml'];
  const ofIssuers = Object.values<{ env: string; secret?: true }>({ ...issuerSettings, ...severalSettings });

  it('existing-issuer.yml passes every setting of issuers on to mcp-server', () => {
    const said = Object.fromEntries(ofIssuers.map(({ env }) => [env, `value of ${env}`]));
    expect(environmentOf('mcp-server', FILES, { ...PUBLIC, ...said })).toMatchObject(said);
  });

  it('existing-issuer.yml sets nothing of an issuer besides ISSUER: the defaults of mcp-server hold', () => {
    const env = { ...PUBLIC, ISSUER: 'https://id.example.com' };
    const given = environmentOf('mcp-server', FILES, env);
    const names = ofIssuers.map((setting) => setting.env).filter((name) => given[name]);
    expect(names).toEqual(['ISSUER']);
  });

  it.each(documentedIssuers())('%s: mcp-server starts with the settings of its section', (_, env) => {
    const given = environmentOf('mcp-server', FILES, { ...PUBLIC, ...env });
    const { issuers } = readMcpServer({ NODE_ENV: 'production', ...given });
    const alone = readMcpServer({ NODE_ENV: 'production', ...PUBLIC, ...env });
    expect(JSON.stringify(issuers)).toBe(JSON.stringify(alone.issuers));
  });

  it('ISSUERS as an object in JSON reaches mcp-server, which starts with all of them', () => {
    const corp = { URL: 'https://id.example.com/realms/staff', PRESET: 'keycloak' };
    const machines = { URL: 'https://machines.example.com', ANNOUNCED: false };
    const env = { ...PUBLIC, ISSUERS: JSON.stringify({ corp, machines }) };
    const { issuers } = readMcpServer({ NODE_ENV: 'production', ...environmentOf('mcp-server', FILES, env) });
    expect(issuers.map(({ url, announced }) => [url, announced])).toEqual([
      [corp.URL, true],
      [machines.URL, false],
    ]);
  });

  it('without ISSUER and ISSUERS docker compose starts nothing and names both', () => {
    expect(() => environmentOf('mcp-server', FILES, PUBLIC)).toThrow(/set ISSUER .* or ISSUERS/);
  });
});
