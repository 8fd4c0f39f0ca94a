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

async function lineFor(rules: Readonly<Record<string, string>>) {
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
  return server.log.find(({ msg }) => msg === 'people who may come in');
}

describe('the line of the log about who may come in', () => {
  it.each([
    ['domain:example.com', 'domain:example.com'],
    ['anyone', 'everybody who has an account at Acme'],
    [`file:${CLOSED}`, `file:${CLOSED}`],
    [`domain:example.com, file:${OPEN}`, `everybody who has an account at Acme (anyone in file:${OPEN})`],
  ])('with the rules %s it says %s', async (allow, words) => {
    expect(await lineFor({ CONNECTOR_ACME_ALLOW: allow })).toMatchObject({ allow: words, deny: 'nobody' });
  });

  it('a file that denies everybody, or gives everybody a scope, is named with what it does', async () => {
    const rules = { PEOPLE_ALLOW: 'anyone', PEOPLE_DENY: `file:${OPEN}`, SCOPE_RULES: `mcp:admin=file:${OPEN}` };
    expect(await lineFor(rules)).toMatchObject({
      deny: `everybody (anyone in file:${OPEN})`,
      scopes: `mcp:admin: everybody who may come in (anyone in file:${OPEN}); every other scope but the base scope: nobody`,
    });
  });
});
