/** Proves that rules in a file are held to the conditions of the setting that names the file, at start and after a change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { composeAccess } from '../../src/compose/access.ts';
import { readConfig } from '../../src/config.ts';
import { type ConnectorKinds, discoverKinds } from '../../src/federation/registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-problems-'));
const path = join(folder, 'people.txt');
const FILE = `file:${path}`;
const TWO = {
  CONNECTORS: 'github,gitlab',
  CONNECTOR_GITHUB_CLIENT_ID: 'a',
  CONNECTOR_GITHUB_CLIENT_SECRET: 'b',
  CONNECTOR_GITLAB_CLIENT_ID: 'a',
  CONNECTOR_GITLAB_CLIENT_SECRET: 'b',
};

let kinds: ConnectorKinds;
let clock: FakeClock;
let log: Record<string, unknown>[];
beforeAll(async () => {
  kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));
});
beforeEach(() => {
  clock = new FakeClock();
  log = [];
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (env: Readonly<Record<string, string>>, content: string) => {
  writeFileSync(path, content);
  const write = (line: string) => log.push(JSON.parse(line));
  return composeAccess(readConfig({ ...TWO, ...env }, kinds), {
    clock,
    log: createLogger('auth-server', 'debug', { write }),
  });
};

describe('rules in a file', () => {
  it.each(['subject:583231', 'claim:tier=1'])(
    '%s stops the start where PEOPLE_ALLOW is for two providers',
    async (rule) => {
      await expect(start({ PEOPLE_ALLOW: FILE }, `domain:example.com\n${rule}`)).rejects.toThrow(
        `the file of rules ${path} can't be used: PEOPLE_ALLOW: ${rule} may be somebody else at gitlab than at github`,
      );
      await expect(start({ SCOPE_RULES: `mcp:admin=${FILE}` }, rule)).rejects.toThrow('SCOPE_RULES');
      await start({ PEOPLE_ALLOW: FILE, CONNECTOR_GITLAB_ALLOW: 'anyone' }, rule);
      await start({ PEOPLE_DENY: FILE }, rule);
    },
  );

  it.each([
    ['CONNECTOR_GITLAB_DENY', { CONNECTOR_GITLAB_DENY: FILE }, 'team:acme/x'],
    ['CONNECTOR_GITHUB_ALLOW', { CONNECTOR_GITHUB_ALLOW: FILE }, 'group:ops'],
    ['CONNECTOR_GITLAB_SCOPE_RULES', { CONNECTOR_GITLAB_SCOPE_RULES: `mcp:*=${FILE}` }, 'user:1'],
  ])('a rule that the connector of %s never matches stops the start', async (name, env, rule) => {
    await expect(start(env, rule)).rejects.toThrow(`${name}: ${rule} can't match here`);
    await start(env, 'email:a@b.example');
  });

  it('such a rule in a changed file is reported, and the previous rules stay', async () => {
    const access = await start({ PEOPLE_ALLOW: FILE }, 'domain:example.com');
    const stranger = { issuer: 'https://gitlab.com', subject: '583231', verifiedEmails: ['m@evil.example'] };
    writeFileSync(path, 'domain:example.com\nsubject:583231');
    clock.advance(2);
    expect((await access.decide('gitlab', stranger)).isAllowed).toBe(false);
    expect(log).toContainEqual(
      expect.objectContaining({ reason: expect.stringContaining('subject:583231 may be somebody else at gitlab') }),
    );
  });
});
