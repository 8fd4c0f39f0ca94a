/** Proves which settings of upstreams are accepted, and that each refusal names its variable. */
import type { ConfigError } from '@mcp-oauth/shared/settings/config';
import { unknownSettings } from '@mcp-oauth/shared/settings/unknown';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { newKey } from '../../src/upstream/own-key.ts';

const EXCHANGE_KEY = JSON.stringify(await newKey());
const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://mcp.example.com',
  ISSUER: 'https://auth.example.com',
};

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ env: name, message }) => `${name}: ${message}`);
  }
}

describe('settings of upstreams', () => {
  it('without UPSTREAMS there are none, and no key is needed', () => {
    expect(readConfig({})).toMatchObject({ upstreams: [], exchangeKeys: undefined, exchangeClientId: 'mcp-server' });
  });

  it('the id github needs no setting of its own, and its tokens go to its API only', () => {
    const [github] = readConfig({ UPSTREAMS: 'github', EXCHANGE_KEY }).upstreams;
    expect(github).toEqual({
      id: 'github',
      base: 'https://api.github.com',
      origins: new Set(['https://api.github.com']),
      target: { audience: 'github' },
      scopes: undefined,
    });
  });

  it('more hosts get the tokens over https, and an API may be below a path', () => {
    const [own] = readConfig({
      ...{ UPSTREAMS: 'work-hub', EXCHANGE_KEY, UPSTREAM_WORK_HUB_URL: 'https://ghe.example.com/api/v3/' },
      UPSTREAM_WORK_HUB_MORE_HOSTS: 'uploads.example.com, files.example.com:8443',
      UPSTREAM_WORK_HUB_AUDIENCE: 'hub',
    }).upstreams;
    expect(own?.base).toBe('https://ghe.example.com/api/v3');
    expect(own?.origins).toEqual(
      new Set(['https://ghe.example.com', 'https://uploads.example.com', 'https://files.example.com:8443']),
    );
    expect(own?.target).toEqual({ audience: 'hub' });
  });

  it('RFC 8693 §2.1 another MCP server is named by its resource, which is also where requests go', () => {
    const resource = 'https://billing.example.com/mcp';
    const [billing] = readConfig({
      ...{ UPSTREAMS: 'billing', EXCHANGE_KEY },
      ...{ UPSTREAM_BILLING_RESOURCE: resource, UPSTREAM_BILLING_SCOPES: 'mcp:tools invoices:read' },
    }).upstreams;
    expect(billing).toMatchObject({ base: resource, target: { resource }, scopes: ['mcp:tools', 'invoices:read'] });
  });

  it('RFC 7517 §5 a JWK Set changes the key: the first one signs', async () => {
    const keys = [await newKey(), await newKey()];
    const { exchangeKeys } = readConfig({ EXCHANGE_KEY: JSON.stringify({ keys }) });
    expect(exchangeKeys?.map(({ kid }) => kid)).toEqual(keys.map(({ kid }) => kid));
    for (const [set, expected] of [
      [[], 'expected at least one key'],
      [[keys[0], keys[0]], 'each of several keys needs a kid of its own'],
      [[keys[0], { ...keys[1], kid: undefined }], 'each of several keys needs a kid of its own'],
      [[keys[0], { kty: 'oct', k: 'x', kid: 'x' }], 'one of the keys is none that can be used'],
    ] as const) {
      expect(problems({ EXCHANGE_KEY: JSON.stringify({ keys: set }) })).toEqual([`EXCHANGE_KEY: ${expected}`]);
    }
  });

  it('UPSTREAMS may be an object in JSON, which one variable of docker compose holds', () => {
    const resource = 'https://billing.example.com/mcp';
    const members = { RESOURCE: resource, SCOPES: ['mcp:tools'] };
    const UPSTREAMS = JSON.stringify({ github: {}, crm: { URL: 'https://crm.example' }, billing: members });
    const { upstreams } = readConfig({ UPSTREAMS, EXCHANGE_KEY });
    expect(upstreams.map(({ id, base, target }) => [id, base, target])).toEqual([
      ['github', 'https://api.github.com', { audience: 'github' }],
      ['crm', 'https://crm.example', { audience: 'crm' }],
      ['billing', resource, { resource }],
    ]);
    expect(upstreams[2]?.scopes).toEqual(['mcp:tools']);
  });

  it.each([
    ['{"crm"', {}, 'UPSTREAMS: expected ids separated by commas, or valid JSON'],
    ['{"crm":{"URL":"https://a.example"},"crm":{"URL":"https://b.example"}}', {}, 'UPSTREAMS: has "crm" twice'],
    ['{"__proto__":{"URL":"https://crm.example"}}', {}, 'UPSTREAMS: has the member "__proto__", which nothing may'],
    ['{"crm":{"URL":"https://a.example","__proto__":"x"}}', {}, 'UPSTREAMS: has the member "__proto__"'],
    ['{"crm":"https://crm.example"}', {}, 'UPSTREAMS: expected an object at "crm": {"URL": "https://…"}'],
    ['{"crm":{"URI":"https://crm.example"}}', {}, 'UPSTREAMS: crm: '],
    ['{"CRM":{"URL":"https://crm.example"}}', {}, 'UPSTREAMS: an id may only contain lower-case letters'],
    ['{"crm":{}}', {}, 'UPSTREAM_CRM_URL: is required: the URL of its API'],
    ['{}', {}, 'UPSTREAMS: expected at least one id'],
    [
      '{"crm":{"URL":"https://crm.example"}}',
      { UPSTREAM_CRM_URL: 'https://other.example' },
      'UPSTREAM_CRM_URL: is set here and in UPSTREAMS: keep one',
    ],
  ])('UPSTREAMS=%s does not start beside %j: %s', (UPSTREAMS, env, expected) => {
    expect(problems({ UPSTREAMS, EXCHANGE_KEY, ...env }).join('\n')).toContain(expected);
  });

  it.each([
    [
      { UPSTREAMS: 'github' },
      'EXCHANGE_KEY: is needed with UPSTREAMS: make a key with the command exchange-key, and name',
    ],
    [{ UPSTREAMS: 'github', EXCHANGE_KEY: 'secret' }, 'EXCHANGE_KEY: expected a private key'],
    [{ UPSTREAMS: 'crm', EXCHANGE_KEY }, 'UPSTREAM_CRM_URL: is required: the URL of its API'],
    [{ UPSTREAMS: 'crm', EXCHANGE_KEY, UPSTREAM_CRM_URL: 'crm' }, 'UPSTREAM_CRM_URL: expected an http or https URL'],
    [
      { UPSTREAMS: 'crm', EXCHANGE_KEY, UPSTREAM_CRM_URL: 'https://u:p@crm.example' },
      'UPSTREAM_CRM_URL: expected an http or https URL',
    ],
    [{ UPSTREAMS: 'CRM', EXCHANGE_KEY }, 'UPSTREAMS: an id may only contain lower-case letters'],
    [
      { UPSTREAMS: 'github', EXCHANGE_KEY, UPSTREAM_GITHUB_HOST: 'x' },
      'UPSTREAM_GITHUB_HOST: is not a setting of the upstream github',
    ],
    [
      { UPSTREAMS: 'github', EXCHANGE_KEY, UPSTREAM_GITHUB_SCOPES: 'repo' },
      'UPSTREAM_GITHUB_SCOPES: is only for another MCP server: set RESOURCE',
    ],
    [
      { UPSTREAMS: 'github', EXCHANGE_KEY, UPSTREAM_GITHUB_MORE_HOSTS: 'https://uploads.github.com' },
      'UPSTREAM_GITHUB_MORE_HOSTS: expected hosts',
    ],
    [{ UPSTREAMS: 'github', EXCHANGE_KEY, UPSTREAM_GITHUB_MORE_HOSTS: '*.github.com' }, 'wildcards are not supported'],
    [
      { UPSTREAMS: 'github', EXCHANGE_KEY, UPSTREAM_GITHUB_MORE_HOSTS: 'evil.example.' },
      'UPSTREAM_GITHUB_MORE_HOSTS: expected hosts',
    ],
  ])('%j does not start: %s', (env, expected) => {
    expect(problems(env).join('\n')).toContain(expected);
  });

  it('production sends no token over plain http, except inside the network', () => {
    const env = { ...production, UPSTREAMS: 'crm', EXCHANGE_KEY };
    expect(problems({ ...env, UPSTREAM_CRM_URL: 'http://crm.example.com' })).toEqual([
      'UPSTREAM_CRM_URL: must use https unless it is inside the network (got "http://crm.example.com")',
    ]);
    expect(problems({ ...env, UPSTREAM_CRM_URL: 'http://crm:8080' })).toEqual([]);
  });

  it('the other service says nothing about variables of upstreams that UPSTREAMS names', () => {
    const env = { UPSTREAMS: 'github', UPSTREAM_GITHUB_URL: 'https://api.github.com' };
    expect(unknownSettings(env)).toEqual({ problems: [], warnings: [] });
    const inJson = { ...env, UPSTREAMS: '{"github":{"MORE_HOSTS":"uploads.github.com"}}' };
    expect(unknownSettings(inJson)).toEqual({ problems: [], warnings: [] });
    expect(unknownSettings({ UPSTREAM_GITHUB_URL: 'https://api.github.com' }).warnings).toEqual([
      {
        env: 'UPSTREAM_GITHUB_URL',
        message: expect.stringContaining('is for an upstream that UPSTREAMS does not name'),
      },
    ]);
  });
});
