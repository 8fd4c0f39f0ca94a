/** Proves that settings of trusted issuers that could open the server, or that cannot work, are refused at the start, each with its name. */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { MCP } from '../support/running-server.ts';
import { rulesFile, startWorkloads } from '../support/workloads.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const rule = {
  when: { repository: 'acme/app', sub: 'repo:acme/app:*' },
  subject: 'deploy',
  client: 'ci',
  resource: MCP,
  scopes: ['mcp:tools'],
};

const okta = {
  ENTERPRISE_ISSUERS: 'okta',
  ENTERPRISE_ISSUER_OKTA_ISSUER: 'https://acme.okta.com',
  ENTERPRISE_ISSUER_OKTA_CONNECTOR: 'development',
  ENTERPRISE_ISSUER_OKTA_CLIENTS: 'editor',
  ENTERPRISE_ISSUER_OKTA_SCOPES: 'mcp:tools',
};
const actions = {
  WORKLOAD_ISSUERS: 'actions',
  WORKLOAD_ISSUER_ACTIONS_ISSUER: 'https://token.actions.githubusercontent.com',
  WORKLOAD_ISSUER_ACTIONS_RULES: rulesFile([rule]),
};
const start = (env: Record<string, string>) => readConfig({ NODE_ENV: 'test', ...env }, kinds);

describe('the settings of trusted issuers', () => {
  it('each issuer has settings by its own id', () => {
    const { enterprise, workload } = start({ ...okta, ...actions }).trustedIssuers;
    expect(enterprise).toMatchObject([{ id: 'okta', scopes: ['mcp:tools'], tokenLifetime: 600, publicClients: false }]);
    expect(workload).toMatchObject([{ id: 'actions', audience: 'http://localhost:9000' }]);
    expect(start({}).trustedIssuers).toEqual({ enterprise: [], workload: [] });
  });

  it.each<readonly [title: string, env: Record<string, string>, message: string]>([
    ['no cap of scopes', { ...okta, ENTERPRISE_ISSUER_OKTA_SCOPES: '' }, 'SCOPES: is required'],
    ['no clients', { ...okta, ENTERPRISE_ISSUER_OKTA_CLIENTS: '' }, 'CLIENTS: is required'],
    ['an unknown connector', { ...okta, ENTERPRISE_ISSUER_OKTA_CONNECTOR: 'other' }, 'expected one of CONNECTORS'],
    [
      'RFC 8725 §2.1 a symmetric algorithm',
      { ...okta, ENTERPRISE_ISSUER_OKTA_ALGORITHMS: 'HS256' },
      'expected some of',
    ],
    ['keys over plain http', { ...okta, ENTERPRISE_ISSUER_OKTA_ISSUER: 'http://acme.okta.com' }, 'must use https'],
    [
      'a mistyped variable',
      { ...okta, ENTERPRISE_ISSUER_OKTA_SCOPE: 'x' },
      'did you mean ENTERPRISE_ISSUER_OKTA_SCOPES',
    ],
    ['an odd id', { ENTERPRISE_ISSUERS: 'Okta' }, 'an id may only contain'],
    [
      'one issuer of both kinds',
      { ...okta, ...actions, WORKLOAD_ISSUER_ACTIONS_ISSUER: okta.ENTERPRISE_ISSUER_OKTA_ISSUER },
      'has the issuer of okta as well',
    ],
    [
      'two clients for one id',
      { ...okta, ENTERPRISE_ISSUER_OKTA_CLIENTS: 'a=x,a=y' },
      'each client id of the issuer once',
    ],
    [
      'a client without an id',
      { ...okta, ENTERPRISE_ISSUER_OKTA_CLIENTS: 'theirs=' },
      'a client id on both sides of =',
    ],
    ['no rules', { ...actions, WORKLOAD_ISSUER_ACTIONS_RULES: '' }, 'RULES: is required'],
    ['rules that cannot be read', { ...actions, WORKLOAD_ISSUER_ACTIONS_RULES: '/nowhere' }, "can't be read"],
  ])('a server does not start with %s', (_title, env, message) => {
    expect(() => start(env)).toThrow(message);
  });

  it.each<readonly [title: string, rules: unknown, message: string]>([
    ['that is no JSON', '{', 'is not JSON'],
    ['with a comma too many', '[{"when":{},}]', 'is not JSON (line 1 column 13)'],
    ['without any', [], 'Too small'],
    ['about everybody', [{ ...rule, when: {} }], 'expected at least one claim'],
    ['that fits every value', [{ ...rule, when: { sub: '*' } }], 'expected a value, or a beginning'],
    ['that fits the names of others', [{ ...rule, when: { sub: 'repo:acme*' } }], 'expected a value, or a beginning'],
    ['with an asterisk in the middle', [{ ...rule, when: { sub: 'repo:*/app' } }], 'expected a value, or a beginning'],
    ['about everybody on GitHub', [{ ...rule, when: { ref: 'refs/heads/main' } }], 'name one of repository_owner_id'],
    ['without scopes', [{ ...rule, scopes: [] }], '0.scopes'],
    ['with a subject that could look like another kind', [{ ...rule, subject: 'service:x' }], '0.subject'],
    ['with an unknown member', [{ ...rule, scope: 'x' }], 'scope'],
    ['with a member that stands there twice', '[{"when":{"sub":"a","sub":"b"}}]', '"sub" twice'],
    ['with a member that readers leave out', '[{"when":{"sub":"a","__proto__":"b"}}]', 'has the member "__proto__"'],
  ])('a server does not start with a rule %s', (_title, rules, message) => {
    expect(() => start({ ...actions, WORKLOAD_ISSUER_ACTIONS_RULES: rulesFile(rules) })).toThrow(message);
  });

  it('a server does not start with a connector that has other people: another issuer, or no OpenID provider', async () => {
    await expect(startEnterprise({ CONNECTOR_OKTA_ISSUER: 'https://other.example' })).rejects.toThrow(
      /ENTERPRISE_ISSUER_OKTA_CONNECTOR: okta does not sign in the people of/,
    );
    await expect(
      startEnterprise({
        CONNECTORS: 'github',
        CONNECTOR_GITHUB_CLIENT_ID: 'x',
        CONNECTOR_GITHUB_CLIENT_SECRET: 'y',
        ENTERPRISE_ISSUER_OKTA_CONNECTOR: 'github',
      }),
    ).rejects.toThrow(/github does not sign in the people of/);
  });

  it('a server does not start with a rule or RESOURCES about a resource that it does not have', async () => {
    await expect(startEnterprise({ ENTERPRISE_ISSUER_OKTA_RESOURCES: 'https://other.example/mcp' })).rejects.toThrow(
      /ENTERPRISE_ISSUER_OKTA_RESOURCES: .*https:\/\/other.example\/mcp/,
    );
    await expect(startWorkloads({ rules: [{ ...rule, resource: 'https://other.example/mcp' }] })).rejects.toThrow(
      /WORKLOAD_ISSUER_ACTIONS_RULES: .*https:\/\/other.example\/mcp/,
    );
  });
});
