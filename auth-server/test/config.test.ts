/**
 * Proves that a server starts without any setting, and that production refuses settings that are only safe in
 * development.
 */
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { ConfigError } from '@mcp-oauth/shared/settings/config';
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { type ConnectorKinds, discoverKinds } from '../src/federation/registry.ts';

let kinds: ConnectorKinds;
beforeAll(async () => {
  kinds = await discoverKinds(new URL('../src/connectors/', import.meta.url));
});

function problems(env: Environment): readonly string[] {
  try {
    readConfig(env, kinds);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

const PRODUCTION = {
  NODE_ENV: 'production',
  ISSUER: 'https://auth.example.com',
  RESOURCES: 'https://mcp.example.com',
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'id',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
  CONNECTOR_ACME_ALLOW: 'domain:acme.example',
  REDIS_URL: 'redis://redis',
  STORAGE_KEYS: Buffer.from('thirty-two bytes that are drawn.').toString('base64'),
};

const resource = (metadataUrl: string) => JSON.stringify([{ url: 'https://mcp.example.com', metadataUrl }]);

describe('configuration without any setting', () => {
  it('the defaults run everything on this machine, with the development sign-in', () => {
    const config = readConfig({}, kinds);
    expect(config).toMatchObject({
      issuer: 'http://localhost:9000',
      dataDir: '.data',
      port: undefined,
      host: undefined,
    });
    expect(config.resources.map(({ audience }) => audience)).toEqual(['http://localhost:8080/mcp']);
    expect(config.signIn).toMatchObject([{ id: 'development', title: 'Development sign-in' }]);
    expect(config.signIn[0]?.settings).toMatchObject({ issuer: 'http://localhost:9001', clientId: 'auth-server' });
  });
});

describe('settings in JSON', () => {
  it.each([
    ['CLIENTS', '[{"client_id":"job","client_secret":"a-secret-of-32-characters-or-more","__proto__":{}}]'],
    ['RESOURCES', '[{"url":"https://mcp.example.com","scopes":{"mcp:tools":"a","__proto__":"b"}}]'],
    ['SCOPE_DESCRIPTIONS', '{"mcp:tools":"a","__proto__":"b"}'],
    ['SCOPE_RULES', '{"__proto__":"org:acme"}'],
  ])('CWE-1321 %s does not lose a member: %s is refused', (name, json) => {
    expect(problems({ [name]: json })).toEqual([
      `${name}: has the member "__proto__", which nothing may be called: remove it`,
    ]);
  });
});

describe('the development sign-in', () => {
  it.each([
    [{ ISSUER: 'https://auth.example.com' }, true],
    [{ ISSUER: 'https://203.0.113.7', CONNECTORS: 'github,development', CONNECTOR_GITHUB_CLIENT_ID: 'a', CONNECTOR_GITHUB_CLIENT_SECRET: 'b', CONNECTOR_GITHUB_ALLOW: 'anyone' }, true],
    [{ ISSUER: 'https://auth.example.com', NODE_ENV: 'development' }, false],
    [{ ISSUER: 'https://auth.example.com', NODE_ENV: 'test' }, false],
    [{ ISSUER: 'https://localhost:9000' }, false],
    [{ ISSUER: 'https://auth.internal' }, false],
    [{ ISSUER: 'https://10.0.0.7' }, false],
  ])('CWE-1188 the development sign-in with %j is refused: %s', (env, isRefused) => {
    expect(problems(env)).toEqual(isRefused ? [expect.stringMatching(/^CONNECTORS: .* ISSUER is public/)] : []);
  }); // biome-ignore format: one row each
});

describe('rules about people', () => {
  it('production does not start with a connector without a rule, and names the setting', () => {
    const lines = problems({ ...PRODUCTION, CONNECTOR_ACME_ALLOW: '' });
    expect(lines).toEqual([
      expect.stringMatching(/^CONNECTOR_ACME_ALLOW: is required in production.*domain:example.com/),
    ]);
    expect(problems({ ...PRODUCTION, CONNECTOR_ACME_ALLOW: '', PEOPLE_ALLOW: 'anyone' })).toEqual([]);
  });

  it('neither does a public server whose NODE_ENV was forgotten', () => {
    const { NODE_ENV: _, ...forgotten } = PRODUCTION;
    expect(problems({ ...forgotten, CONNECTOR_ACME_ALLOW: '' })).toEqual([
      expect.stringContaining('CONNECTOR_ACME_ALLOW'),
    ]);
  });

  it.each([
    ['CONNECTOR_ACME_ALLOW', { CONNECTOR_ACME_ALLOW: 'org:acme' }],
    ['CONNECTOR_ACME_DENY', { CONNECTOR_ACME_DENY: 'team:acme/x' }],
    ['CONNECTOR_ACME_SCOPE_RULES', { CONNECTOR_ACME_SCOPE_RULES: 'mcp:admin=user:1' }],
    ['PEOPLE_DENY', { PEOPLE_DENY: 'org:evil' }],
    ['SCOPE_RULES', { SCOPE_RULES: 'mcp:admin=org:acme' }],
  ])('%s is refused with a rule that the connector never reports', (name, env) => {
    expect(problems({ ...PRODUCTION, ...env })).toEqual([expect.stringMatching(`^${name}: .*can't match here`)]);
  });

  it.each(['subject:583231', 'group:ops', 'claim:tier=1'])('PEOPLE_ALLOW=%s is refused for two providers', (rule) => {
    const second = { CONNECTORS: 'acme,gitlab', CONNECTOR_GITLAB_CLIENT_ID: 'a', CONNECTOR_GITLAB_CLIENT_SECRET: 'b' };
    const env = { ...PRODUCTION, ...second, CONNECTOR_ACME_ALLOW: '', PEOPLE_ALLOW: rule };
    expect(problems(env)).toEqual([
      expect.stringMatching(/^PEOPLE_ALLOW: .* may be somebody else at gitlab.*CONNECTOR_ACME_ALLOW/),
    ]);
    expect(problems({ ...env, CONNECTOR_ACME_ALLOW: rule })).toEqual([]);
  });
});

describe('configuration in production', () => {
  it('a server with https everywhere and its own connector starts', () => {
    expect(problems(PRODUCTION)).toEqual([]);
  });

  it.each([
    ['ISSUER', { ISSUER: 'http://auth.example.com' }],
    ['ISSUER', { ISSUER: 'http://localhost:9000' }],
    ['RESOURCES', { RESOURCES: 'http://mcp.example.com' }],
    ['RESOURCES', { RESOURCES: 'http://localhost:8080' }],
    ['CONNECTORS', { CONNECTORS: undefined }],
    ['CONNECTORS', { CONNECTORS: 'acme,development' }],
    ['REDIS_URL', { REDIS_URL: '' }],
    ['STORAGE_KEYS', { STORAGE_KEYS: '' }],
    ['CLIENT_METADATA_PRIVATE_HOSTS', { CLIENT_METADATA_PRIVATE_HOSTS: 'localhost:8443' }],
  ])('one line names %s for %j', (name, change) => {
    const lines = problems({ ...PRODUCTION, ...change });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${name}: .*production`));
  });

  it.each(['CONNECTOR_ACME_CLIENT_SECRET', 'REDIS_PASSWORD'])(
    'CWE-798 one line refuses %s of the development set-up',
    (name) => {
      const value = 'development-only-secret';
      const lines = problems({ ...PRODUCTION, [name]: value });
      expect(lines).toEqual([expect.stringMatching(`^${name}: is a secret of the development setup`)]);
      expect(lines[0]).not.toContain(value);
    },
  );

  it.each([
    ['STORAGE_KEYS', { STORAGE_KEYS: Buffer.alloc(32).toString('base64') }],
    ['STORAGE_KEYS', { STORAGE_KEYS: 'c2hvcnQ=' }],
    ['REDIS_URL', { REDIS_URL: 'redis://:development-only-redis@redis' }],
    ['REDIS_URL', { REDIS_URL: 'redis' }],
  ])('one line names the unusable %s in %j, and does not call it missing', (name, change) => {
    expect(problems({ ...PRODUCTION, ...change })).toEqual([expect.stringMatching(`^${name}: (?!is required)`)]);
  });

  it('CWE-798 clients with a secret of the development set-up are refused', () => {
    const CLIENTS = JSON.stringify([{ client_id: 'job', client_secret: 'development-only-job' }]);
    expect(problems({ ...PRODUCTION, CLIENTS })).toEqual([expect.stringMatching(/^CLIENTS: is a secret of the dev/)]);
  });

  it.each([
    [{ CONNECTOR_ACME_INTERNAL_URL: 'http://keycloak:8080' }, []],
    [
      { CONNECTOR_ACME_INTERNAL_URL: 'http://idp.example.com' },
      [/^CONNECTOR_ACME_INTERNAL_URL: must use https unless/],
    ],
    [{ RESOURCES: resource('http://mcp-server:8080/metadata') }, []],
    [
      { RESOURCES: resource('http://mcp.example.com/metadata') },
      [/^RESOURCES: metadataUrl must use https unless it is/],
    ],
  ])('http is accepted only inside the network: %j', (change, lines) => {
    expect(problems({ ...PRODUCTION, ...change })).toEqual(lines.map((line) => expect.stringMatching(line)));
  });

  it('all problems are reported at once', () => {
    expect(problems({ NODE_ENV: 'production' }).map((line) => line.split(':')[0])).toEqual([
      'ISSUER',
      'REDIS_URL',
      'STORAGE_KEYS',
      'RESOURCES',
      'CONNECTORS',
    ]);
  });
});

it('production without Redis is accepted when STORAGE=sqlite asks for one machine', () => {
  expect(problems({ ...PRODUCTION, REDIS_URL: '', STORAGE: 'sqlite' })).toEqual([]);
});

describe('configuration in any environment', () => {
  it('an invalid value hides no other problem', () => {
    const names = problems({ NODE_ENV: 'production', PORT: 'x', CONNECTORS: 'acme' }).map((line) => line.split(':')[0]);
    expect(names).toEqual(['PORT', 'ISSUER', 'REDIS_URL', 'STORAGE_KEYS', 'RESOURCES', 'CONNECTOR_ACME_TYPE']);
  });

  it.each([
    [{ NODE_ENV: 'Production' }, /^NODE_ENV: expected one of development, production, test \(got "Production"\)$/],
    [{ ISSUER: 'http://localhost:9000/' }, /^ISSUER: must not end with a slash/],
    [{ ISSUER: 'http://auth.example.com' }, /^ISSUER: must use https, or be a loopback address/],
    [{ PORT: '99999' }, /^PORT: /],
    [{ ACCESS_TOKEN_LIFETIME: '10' }, /^ACCESS_TOKEN_LIFETIME: expected a duration/],
    [{ STORAGE_KEYS: 'c2hvcnQ=' }, /^STORAGE_KEYS: expected 32 bytes in base64 for each key$/],
    [{ STORAGE: 'redis' }, /^REDIS_URL: is required when STORAGE is redis/],
    [{ STORAGE: 'sqlite', REDIS_URL: 'redis://redis' }, /^STORAGE: is sqlite although REDIS_URL is set/],
    [{ REDIS_URL: 'redis://:secret@' }, /^REDIS_URL: expected redis:[^\n]*(?<!secret@)$/],
    [{ CONNECTORS: 'acme' }, /^CONNECTOR_ACME_TYPE: /],
    [{ CONNECTORS: ' ' }, /^CONNECTORS: expected at least one/],
    [{ CLIENT_METADATA: 'yes' }, /^CLIENT_METADATA: expected true or false/],
    [{ CLIENT_METADATA_ALLOW: 'https://a.com' }, /^CLIENT_METADATA_ALLOW: expected host names .* not https/],
    [{ CLIENT_METADATA_PRIVATE_HOSTS: '*.corp' }, /^CLIENT_METADATA_PRIVATE_HOSTS: expected hosts .* not \*\.corp/],
    [{ CLIENT_METADATA_STALE: '1s' }, /^CLIENT_METADATA_STALE: expected a duration/],
    [{ CLIENT_METADATA_LIMIT: '0' }, /^CLIENT_METADATA_LIMIT: expected a whole number/],
  ])('the setting %j is refused by name', (env: Environment, line) => {
    expect(problems(env)).toEqual([expect.stringMatching(line)]);
  });
});
