/** Proves that `people check` runs as docs/access.md writes it, and answers with what the page shows. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8');

/** The rules that the page shows, at two providers. */
const ENV = {
  CONNECTORS: 'acme,github',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'id',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
  CONNECTOR_ACME_ALLOW: 'domain:example.com, email:bob@partner.example',
  CONNECTOR_ACME_DENY: 'group:contractors',
  CONNECTOR_GITHUB_CLIENT_ID: 'id',
  CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
  CONNECTOR_GITHUB_ALLOW: 'org:acme',
  SCOPE_RULES: 'mcp:admin=group:ops; notes:*=domain:example.com',
};

function type(line: string, env: Readonly<Record<string, string>>) {
  const [program = '', ...words] = line.split(' ');
  const { PATH, HOME } = process.env;
  return spawnSync(program, words, { cwd: ROOT, env: { PATH, HOME, ...env }, encoding: 'utf8' });
}

it('people check answers what the page about access shows', () => {
  const [, line = '', shown] = /^\$ (npm run .*people check .*)\n([^`]*)```$/m.exec(page) ?? [];
  const { status, stdout, stderr } = type(line, ENV);
  expect([stdout + stderr, status]).toEqual([shown, 0]);
});

it('people check ends with 1 if no connector lets the person in, so that a script can ask it', () => {
  const { status, stdout } = type('npm run -s auth-server -- people check mallory@evil.example --json', ENV);
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([
    { connector: 'acme', result: 'refused', reason: 'no rule allows this person' },
    { connector: 'github', result: 'refused' },
  ]);
});
