/** Proves that USE says what a connector is for, and that settings which do not fit it are refused. */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { discoverKinds, openConnectors } from '../../../src/federation/registry.ts';

type Env = Readonly<Record<string, string>>;
const kinds = await discoverKinds(new URL('../../../src/connectors/', import.meta.url));

const GITHUB: Env = { CONNECTOR_GITHUB_CLIENT_ID: 'client', CONNECTOR_GITHUB_CLIENT_SECRET: 'secret' };
const LINEAR: Env = {
  CONNECTOR_LINEAR_TYPE: 'oauth2',
  CONNECTOR_LINEAR_USE: 'tools',
  CONNECTOR_LINEAR_AUTHORIZATION_URL: 'https://linear.app/oauth/authorize',
  CONNECTOR_LINEAR_TOKEN_URL: 'https://api.linear.app/oauth/token',
  CONNECTOR_LINEAR_CLIENT_ID: 'client',
  CONNECTOR_LINEAR_CLIENT_SECRET: 'secret',
  CONNECTOR_LINEAR_TOOL_SCOPES: 'read write',
};
const GOOGLE: Env = { CONNECTOR_GOOGLE_CLIENT_ID: 'client', CONNECTOR_GOOGLE_CLIENT_SECRET: 'secret' };

const KEYS = Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64');
const read = (env: Env) => readConfig({ STORAGE_KEYS: KEYS, ...env }, kinds);
function problemsOf(env: Env): string {
  try {
    read(env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('CONNECTOR_<ID>_USE', () => {
  it('without it a connector signs people in, and gives no tokens to tools', () => {
    const { signIn, tools } = read({ CONNECTORS: 'github', ...GITHUB });
    expect([signIn.length, tools.length]).toEqual([1, 0]);
    const opened = openConnectors(signIn, 'https://auth.example', fetch);
    expect([opened.connectors.length, opened.tools.length]).toEqual([1, 0]);
  });

  it('a connector for both is opened once, and one for tools is no way to sign in', () => {
    const env = {
      CONNECTORS: 'github,linear',
      ...GITHUB,
      ...LINEAR,
      CONNECTOR_GITHUB_USE: 'sign-in, tools',
      CONNECTOR_GITHUB_TOOL_SCOPES: 'repo  read:org',
    };
    const { signIn, tools } = read(env);
    expect(signIn.map(({ id }) => id)).toEqual(['github']);
    expect(tools.map(({ id }) => id)).toEqual(['github', 'linear']);
    const opened = openConnectors([...new Set([...signIn, ...tools])], 'https://auth.example', fetch);
    expect(opened.connectors.map(({ id }) => id)).toEqual(['github']);
    expect(opened.tools).toMatchObject([
      { id: 'github', title: 'GitHub', scopes: ['repo', 'read:org'], secrets: ['secret'] },
      { id: 'linear', title: 'linear', scopes: ['read', 'write'], callbackUrl: 'https://auth.example/callback/linear' },
    ]);
  });

  it.each<[string, Env, string]>([
    ['another word', { ...GITHUB, CONNECTOR_GITHUB_USE: 'tool' }, 'CONNECTOR_GITHUB_USE: expected sign-in, tools, or both'],
    ['a scope with quotes', { ...GITHUB, CONNECTOR_GITHUB_USE: 'sign-in,tools', CONNECTOR_GITHUB_TOOL_SCOPES: 're"po' }, 'CONNECTOR_GITHUB_TOOL_SCOPES'],
    ['a store that does not encrypt', { ...GITHUB, CONNECTOR_GITHUB_USE: 'sign-in,tools', STORAGE_KEYS: '' }, 'STORAGE_KEYS: is required where a connector has tools'],
    ['scopes without tools', { ...GITHUB, CONNECTOR_GITHUB_TOOL_SCOPES: 'repo' }, 'CONNECTOR_GITHUB_TOOL_SCOPES: has no effect without tools'],
    ['nobody to sign in', { ...GITHUB, CONNECTOR_GITHUB_USE: 'tools' }, 'CONNECTORS: expected at least one connector to sign in with'],
    ['a rule about people who cannot come', { ...GITHUB, CONNECTOR_GITHUB_USE: 'tools', CONNECTOR_GITHUB_ALLOW: 'anyone' }, 'CONNECTOR_GITHUB_ALLOW: has no effect'],
    ['SCIM for people who cannot come', { ...GITHUB, CONNECTOR_GITHUB_USE: 'tools', CONNECTOR_GITHUB_SCIM_TOKEN: 'x'.repeat(40) }, 'CONNECTOR_GITHUB_SCIM_TOKEN: has no effect'],
  ])('%s is refused at the start', (_, env, message) => {
    expect(problemsOf({ CONNECTORS: 'github', ...env })).toContain(message);
  }); // biome-ignore format: one row for each

  it.each<[string, Env, string]>([
    ['a sign-in with plain OAuth 2.0', { CONNECTORS: 'linear', ...LINEAR, CONNECTOR_LINEAR_USE: '' }, 'CONNECTOR_LINEAR_USE: must be tools'],
    ['Google without scopes', { CONNECTORS: 'google', ...GOOGLE, CONNECTOR_GOOGLE_USE: 'sign-in,tools' }, 'CONNECTOR_GOOGLE_TOOL_SCOPES: is required'],
    ['Apple, which has no API', { CONNECTORS: 'apple', CONNECTOR_APPLE_USE: 'sign-in,tools', CONNECTOR_APPLE_CLIENT_ID: 'a', CONNECTOR_APPLE_TEAM_ID: 'TEAM', CONNECTOR_APPLE_KEY_ID: 'KEY', CONNECTOR_APPLE_PRIVATE_KEY: 'pem' }, 'CONNECTOR_APPLE_'],
  ])('%s is refused at the start', (_, env, message) => {
    expect(problemsOf(env)).toContain(message);
  }); // biome-ignore format: one row for each

  it('production asks for no rule about the people of a connector for tools', () => {
    const env = {
      NODE_ENV: 'production',
      ISSUER: 'https://mcp.example.com',
      RESOURCES: 'https://mcp.example.com',
      STORAGE: 'sqlite',
    };
    const connectors = {
      CONNECTORS: 'google,linear',
      ...GOOGLE,
      ...LINEAR,
      CONNECTOR_GOOGLE_ALLOW: 'domain:example.com',
    };
    expect(problemsOf({ ...env, ...connectors })).toBe('');
  });
});
