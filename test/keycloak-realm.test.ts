/**
 * Proves what can be proved without Keycloak about the realm file of deploy/existing-issuers: it has only names that Keycloak knows, and its
 * tokens would be those that the documented settings accept.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../mcp-server/src/config.ts';
import { documentedIssuers } from './support/documented-settings.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const FILE = 'deploy/existing-issuers/keycloak-realm.json';
const realm = JSON.parse(read(FILE));
const client = realm.clients[0];
const scopes = Object.fromEntries(realm.clientScopes.map((scope: { name: string }) => [scope.name, scope]));
const env = documentedIssuers().find(([product]) => product === 'Keycloak')?.[1] ?? {};
const config = readConfig({ NODE_ENV: 'production', PUBLIC_URL: 'https://mcp.example.com', ...env });

/** Members of the classes of org.keycloak.representations.idm. Keycloak refuses a file with a name that it does not know. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  realm: 'realm enabled attributes roles clientScopes scopeMappings defaultOptionalClientScopes clients'.split(' '),
  clients: (
    'clientId name protocol publicClient standardFlowEnabled implicitFlowEnabled directAccessGrantsEnabled serviceAccountsEnabled ' +
    'consentRequired fullScopeAllowed redirectUris attributes defaultClientScopes optionalClientScopes'
  ).split(' '),
  clientScopes: ['name', 'description', 'protocol', 'attributes', 'protocolMappers'],
  protocolMappers: ['name', 'protocol', 'protocolMapper', 'config'],
  scopeMappings: ['clientScope', 'roles'],
};
const mappers = realm.clientScopes.flatMap(({ protocolMappers }: { protocolMappers: object[] }) => protocolMappers);

describe(FILE, () => {
  it.each([
    ['realm', [realm]],
    ['clients', realm.clients],
    ['clientScopes', realm.clientScopes],
    ['protocolMappers', mappers],
    ['scopeMappings', realm.scopeMappings],
  ])('every member of %s is one that Keycloak knows', (kind, objects) => {
    const names = (objects as object[]).flatMap((object) => Object.keys(object));
    expect(names.filter((name) => !KNOWN[kind]?.includes(name))).toEqual([]);
  });

  it('the realm file is that of the documented issuer', () => {
    expect(config.issuers[0]?.url).toBe(`https://keycloak.example.com/realms/${realm.realm}`);
  });

  it('every scope writes an audience that the documented settings accept, into access tokens alone', () => {
    const audiences = config.issuers[0]?.rules[0]?.audiences;
    for (const { protocolMapper, config: written } of mappers) {
      expect(protocolMapper).toBe('oidc-audience-mapper');
      expect(audiences).toContain(written['included.custom.audience']);
      expect(written).toMatchObject({ 'access.token.claim': 'true', 'id.token.claim': 'false' });
    }
  });

  it('the scope that every call needs is in the claim scope, and clients may ask for it', () => {
    const name = config.baseScope ?? '';
    expect(scopes[name].attributes['include.in.token.scope']).toBe('true');
    expect(client.optionalClientScopes).toContain(name);
    expect(realm.defaultOptionalClientScopes).toContain(name);
  });

  it('tokens have a subject: the scope basic of Keycloak is made, and the client has it', () => {
    expect(realm.attributes.CreateDefaultClientScopes).toBe('true');
    expect(client.defaultClientScopes).toContain('basic');
  });

  it('mcp:admin is for people with a role', () => {
    expect(realm.scopeMappings).toEqual([{ clientScope: 'mcp:admin', roles: ['mcp-admin'] }]);
    expect(realm.roles.realm.map(({ name }: { name: string }) => name)).toContain('mcp-admin');
  });

  it('RFC 9700 §2.1 the client has no secret, needs PKCE, and knows its exact redirect URI', () => {
    expect(client).toMatchObject({ publicClient: true, attributes: { 'pkce.code.challenge.method': 'S256' } });
    expect([client.implicitFlowEnabled, client.directAccessGrantsEnabled]).toEqual([false, false]);
    for (const uri of client.redirectUris) expect(read('docs/existing-issuers/README.md')).toContain(`\`${uri}\``);
  });

  it('the page says where the file is', () => {
    expect(read('docs/existing-issuers/self-hosted.md')).toContain(`(../../${FILE})`);
  });
});
