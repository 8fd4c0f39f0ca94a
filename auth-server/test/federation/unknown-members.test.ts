/** Proves that every misspelt setting or member of a connector is reported, with the nearest known name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { discoverKinds, openConnectors, readConnectors } from '../../src/federation/registry.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
const acme = {
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://id.acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'client',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
};
const problemsOf = (env: Record<string, string>, ids = ['acme']) =>
  readConnectors(ids, { ...acme, ...env }, kinds).problems;

describe('an unknown variable of a connector', () => {
  it.each([
    ['SECRET', 'CLIENT_SECRET'],
    ['ID', 'CLIENT_ID'],
    ['CLIENTID', 'CLIENT_ID'],
    ['CLIENT_SECRT', 'CLIENT_SECRET'],
    ['ISSUER_URL', 'ISSUER'],
    ['SCOPE', 'SCOPES'],
    ['CLIENT_SECERT_FILE', 'CLIENT_SECRET_FILE'],
    ['ISUER', 'ISSUER'],
    ['TYP', 'TYPE'],
    ['RESPONSEMODE', 'RESPONSE_MODE'],
    ['API_URL', 'INTERNAL_URL'],
  ])('the variable %s is refused at start, and %s is suggested', (member, meant) => {
    const [problem, ...others] = problemsOf({ [`CONNECTOR_ACME_${member}`]: 'x' });
    expect(others).toEqual([]);
    expect(problem?.env).toBe(`CONNECTOR_ACME_${member}`);
    if (member !== 'API_URL') expect(problem?.message).toContain(`did you mean CONNECTOR_ACME_${meant}?`);
  });

  it('an unknown variable without a near match is reported with all known ones, and without its value', () => {
    const [problem] = problemsOf({ CONNECTOR_ACME_HOSTED_DOMAIN: 'a-value-that-may-be-secret' });
    expect(problem?.message).toMatch(/^is not a setting of the connector type oidc; known: TYPE, NAME, ISSUER, /);
    expect(problem?.message).not.toContain('a-value-that-may-be-secret');
  });

  it.each([
    ['an empty one', { CONNECTOR_ACME_SECRET: '' }],
    ['one from a file', { CONNECTOR_ACME_CLIENT_SECRET_FILE: '/nowhere' }],
    ['one of a connector that is not in CONNECTORS', { CONNECTOR_ACME_EU_TYPE: 'oidc', CONNECTOR_ACME_EU_ISSUER: 'x' }],
    ['one of a connector with no id like it', { CONNECTOR_OTHER_SECRET: 'x', CONNECTOR_ACMES_SECRET: 'x' }],
  ])('a variable is not reported if it is %s', (_, env) => {
    expect(problemsOf(env)).toEqual([]);
  });

  it('a variable belongs to the connector with the longest matching name', () => {
    const eu = Object.fromEntries(
      Object.entries(acme).map(([name, value]) => [name.replace('ACME', 'ACME_EU'), value]),
    );
    expect(problemsOf(eu, ['acme', 'acme-eu'])).toEqual([]);
    const [problem] = problemsOf({ ...eu, CONNECTOR_ACME_EU_SECRET: 'x' }, ['acme', 'acme-eu']);
    expect(problem?.message).toContain('did you mean CONNECTOR_ACME_EU_CLIENT_SECRET?');
  });
});

describe('a connector file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connectors-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let count = 0;
  const load = (members: string) => {
    count += 1;
    const place = join(mkdtempSync(join(folder, `${count}-`)), 'odd.connector.js');
    writeFileSync(place, `export default { type: 'odd', title: 'Odd', settings: {}, open: () => ({}), ${members} };`);
    return discoverKinds(new URL('./', pathToFileURL(place)));
  };

  it.each([
    ['rule: () => []', '"rule" is not a known member; did you mean "rules"?'],
    ['titel: "x"', '"titel" is not a known member; did you mean "title"?'],
    ['settings: { key: { env: "KEY", doc: "", type: {}, secrets: true } }', 'settings.key: "secrets" is not a known member; did you mean "secret"?'],
    ['settings: { key: { env: "KEY", doc: "", type: {}, requierd: true } }', 'settings.key: "requierd" is not a known member; known: env, '],
  ])('a connector file with %s is refused, with the file name and a suggestion', async (members, words) => {
    await expect(load(members)).rejects.toThrow(`odd.connector.js: ${words}`);
  }); // biome-ignore format: one row each

  it('a connector file whose open() returns something other than a connector is refused at start', async () => {
    const odd = await load('rules: () => []');
    const { connectors } = readConnectors(['odd'], {}, odd);
    expect(() => openConnectors(connectors, 'https://auth.example', fetch)).toThrow(
      /connector odd: open\(\) .*finish\(\)/,
    );
  });
});
