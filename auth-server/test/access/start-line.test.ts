/** Proves that the log says at start who may come in, whatever the rules are written in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startServer } from '../support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-line-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const OPEN = file('open.txt', '# for now\nemail:bob@partner.example\nanyone\n');
const CLOSED = file('closed.txt', 'email:bob@partner.example\n');

async function linesFor(rules: Readonly<Record<string, string>>) {
  await using server = await startServer({
    env: {
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: 'https://acme.example',
      CONNECTOR_ACME_CLIENT_ID: 'client',
      CONNECTOR_ACME_CLIENT_SECRET: 'secret',
      CONNECTOR_ACME_NAME: 'Acme',
      ...rules,
    },
  });
  return server.log.filter(({ msg }) => msg === 'people who may come in');
}

const lineFor = async (rules: Readonly<Record<string, string>>) => (await linesFor(rules))[0];

describe('the line of the log about who may come in', () => {
  it.each([
    ['domain:example.com', 'domain:example.com'],
    ['anyone', 'everybody who has an account at Acme'],
    [`file:${CLOSED}`, `file:${CLOSED}`],
    [`domain:example.com, file:${OPEN}`, `everybody who has an account at Acme (anyone in file:${OPEN})`],
  ])('with the rules %s it says %s', async (allow, words) => {
    expect(await lineFor({ CONNECTOR_ACME_ALLOW: allow })).toMatchObject({ allow: words, deny: 'nobody' });
  });

  it('without any rule it says that everybody may come in, and that every scope is open', async () => {
    expect(await lineFor({})).toMatchObject({
      level: 'info',
      connector: 'acme',
      allow: 'everybody, because no rule is set: production refuses to start like this',
      deny: 'nobody',
      scopes: 'everybody who may come in may have every scope of the resource, because SCOPE_RULES is not set',
    });
  });

  it.each([
    [
      'mcp:admin=group:ops, group:leads; notes:*=anyone',
      'mcp:admin: group:ops, group:leads; notes:*: everybody who may come in',
    ],
    ['none', 'none'],
  ])('the scope rules %s are in it, and that every other scope is closed', async (written, words) => {
    const scopes = `${words}; every other scope but the base scope: nobody`;
    expect(await lineFor({ SCOPE_RULES: written })).toMatchObject({ scopes });
  });

  it('each connector has a line with the rules that count for it', async () => {
    const other = {
      CONNECTOR_OTHER_TYPE: 'oidc',
      CONNECTOR_OTHER_ISSUER: 'https://other.example',
      CONNECTOR_OTHER_CLIENT_ID: 'client',
      CONNECTOR_OTHER_CLIENT_SECRET: 'secret',
    };
    const rules = {
      PEOPLE_ALLOW: 'domain:example.com',
      PEOPLE_DENY: 'email:mallory@example.com',
      SCOPE_RULES: 'none',
      CONNECTOR_OTHER_ALLOW: 'group:staff',
      CONNECTOR_OTHER_DENY: 'group:guests',
      CONNECTOR_OTHER_SCOPE_RULES: 'mcp:admin=group:ops',
    };
    expect(await linesFor({ ...other, ...rules, CONNECTORS: 'acme,other' })).toMatchObject([
      {
        connector: 'acme',
        allow: 'domain:example.com',
        deny: 'email:mallory@example.com',
        scopes: 'none; every other scope but the base scope: nobody',
      },
      {
        connector: 'other',
        allow: 'group:staff',
        deny: 'group:guests, email:mallory@example.com',
        scopes: 'mcp:admin: group:ops; every other scope but the base scope: nobody',
      },
    ]);
  });

  it('a file that denies everybody, or gives everybody a scope, is named with what it does', async () => {
    const rules = { PEOPLE_ALLOW: 'anyone', PEOPLE_DENY: `file:${OPEN}`, SCOPE_RULES: `mcp:admin=file:${OPEN}` };
    expect(await lineFor(rules)).toMatchObject({
      deny: `everybody (anyone in file:${OPEN})`,
      scopes: `mcp:admin: everybody who may come in (anyone in file:${OPEN}); every other scope but the base scope: nobody`,
    });
  });
});
