/** Proves that variables configure the connectors, and that every error names its variable. */
import { describe, expect, it } from 'vitest';
import { discoverKinds, openConnectors, readConnectors } from '../../src/federation/registry.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const acme = {
  CONNECTOR_ACME_EU_TYPE: 'oidc',
  CONNECTOR_ACME_EU_ISSUER: 'https://id.acme.example',
  CONNECTOR_ACME_EU_CLIENT_ID: 'client',
  CONNECTOR_ACME_EU_CLIENT_SECRET: 'secret',
};
const github = { CONNECTOR_GITHUB_CLIENT_ID: 'client', CONNECTOR_GITHUB_CLIENT_SECRET: 'secret' };

describe('the connectors of an operator', () => {
  it('the registry finds one connector kind in each file', () => {
    expect([...kinds.keys()]).toEqual(expect.arrayContaining(['github', 'oidc']));
  });

  it('the connectors keep the order of CONNECTORS; the id names the kind where TYPE does not', () => {
    const { connectors, problems } = readConnectors(['github', 'acme-eu'], { ...acme, ...github }, kinds);
    expect(problems).toEqual([]);
    expect(connectors.map(({ id, kind, title }) => [id, kind.type, title])).toEqual([
      ['github', 'github', 'GitHub'],
      ['acme-eu', 'oidc', 'acme-eu'],
    ]);
  });

  it('NAME sets the title of the sign-in button', () => {
    const { connectors } = readConnectors(['acme-eu'], { ...acme, CONNECTOR_ACME_EU_NAME: 'Acme Europe' }, kinds);
    expect(connectors[0]?.title).toBe('Acme Europe');
  });

  it('a built-in connector has default settings, which the environment overrides', () => {
    const builtIn = {
      'acme-eu': { TYPE: 'oidc', ISSUER: 'http://localhost:9001', CLIENT_ID: 'a', CLIENT_SECRET: 'b' },
    };
    const read = (env = {}) => readConnectors(['acme-eu'], env, kinds, { defaults: builtIn }).connectors[0]?.settings;
    expect(read()).toMatchObject({ issuer: 'http://localhost:9001', clientId: 'a' });
    expect(read({ CONNECTOR_ACME_EU_CLIENT_ID: 'mine' })).toMatchObject({ clientId: 'mine', clientSecret: 'b' });
  });

  it.each([
    [['Acme'], {}, 'CONNECTORS'],
    [['a.b'], {}, 'CONNECTORS'],
    [['acme'], {}, 'CONNECTOR_ACME_TYPE'],
    [['acme'], { CONNECTOR_ACME_TYPE: 'saml' }, 'CONNECTOR_ACME_TYPE'],
    [['github'], { CONNECTOR_GITHUB_CLIENT_ID: 'client' }, 'CONNECTOR_GITHUB_CLIENT_SECRET'],
    [['github', 'github'], github, 'CONNECTORS'],
  ])('the wrong variable is named for %j', (ids, env, variable) => {
    expect(readConnectors(ids, env, kinds).problems.map((problem) => problem.env)).toEqual([variable]);
  });

  it('the problems of all connectors are collected at once', () => {
    const { connectors, problems } = readConnectors(['acme', 'github', 'oidc'], github, kinds);
    expect(connectors.map(({ id }) => id)).toEqual(['github']);
    expect(problems.map(({ env }) => env)).toEqual([
      'CONNECTOR_ACME_TYPE',
      'CONNECTOR_OIDC_ISSUER',
      'CONNECTOR_OIDC_CLIENT_ID',
    ]);
  });

  it.each(['google', 'entra', 'apple', 'cognito', 'gitlab', 'okta', 'github'])(
    'LOGOUT_ENDS_APPROVALS is refused for the type %s, whose provider sends no logout tokens, and the error says why',
    (type) => {
      const env = { CONNECTOR_STAFF_TYPE: type, CONNECTOR_STAFF_LOGOUT_ENDS_APPROVALS: 'true' };
      expect(readConnectors(['staff'], env, kinds).problems).toContainEqual({
        env: 'CONNECTOR_STAFF_LOGOUT_ENDS_APPROVALS',
        message: `is not a setting of the connector type ${type}: its provider sends no logout tokens`,
      });
    },
  );

  it.each(['oidc', 'keycloak', 'auth0'])('LOGOUT_ENDS_APPROVALS is a setting of the type %s', (type) => {
    const env = { CONNECTOR_STAFF_TYPE: type, CONNECTOR_STAFF_LOGOUT_ENDS_APPROVALS: 'true' };
    const { problems } = readConnectors(['staff'], env, kinds);
    expect(problems.map((problem) => problem.env)).not.toContain('CONNECTOR_STAFF_LOGOUT_ENDS_APPROVALS');
  });

  it('RFC 9700 §4.4.2 each connector has its own callback URL', () => {
    const { connectors } = readConnectors(['github', 'acme-eu'], { ...acme, ...github }, kinds);
    const opened = openConnectors(connectors, 'https://auth.example.com', fetch).connectors;
    expect(opened.map(({ callbackUrl }) => callbackUrl)).toEqual([
      'https://auth.example.com/callback/github',
      'https://auth.example.com/callback/acme-eu',
    ]);
  });

  it('each contradiction between settings of a connector is named by its variable', () => {
    const env = {
      ...acme,
      CONNECTOR_ACME_EU_ISSUER: 'http://id.acme.example',
      CONNECTOR_ACME_EU_SCOPES: 'profile',
      CONNECTOR_GITHUB_CLIENT_ID: 'id',
      CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
      CONNECTOR_GITHUB_BASE_URL: 'http://github.acme.example',
    };
    const { connectors, problems } = readConnectors(['acme-eu', 'github'], env, kinds);
    expect(connectors).toEqual([]);
    expect(problems.map(({ env: variable }) => variable)).toEqual([
      'CONNECTOR_ACME_EU_ISSUER',
      'CONNECTOR_ACME_EU_SCOPES',
      'CONNECTOR_GITHUB_BASE_URL',
    ]);
  });
});
