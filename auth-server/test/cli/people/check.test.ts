/** Proves `people check`: what the rules say about a person, and which one decides. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '@mcp-oauth/shared/errors';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { afterAll, describe, expect, it } from 'vitest';
import { peopleCommands } from '../../../src/cli/people/people.ts';
import type { WithStore } from '../../../src/cli/store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { commandsOn } from '../../support/command-store.ts';
import { provision, setActive, startWithScim, TOKEN } from '../../support/scim.ts';

const folder = mkdtempSync(join(tmpdir(), 'people-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileWith = (claims: unknown): string => {
  const path = join(folder, 'claims.json');
  writeFileSync(path, typeof claims === 'string' ? claims : JSON.stringify(claims));
  return path;
};

const ENV = {
  CONNECTORS: 'acme,github',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'id',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
  CONNECTOR_ACME_ALLOW: 'domain:example.com',
  CONNECTOR_ACME_DENY: 'group:contractors',
  CONNECTOR_GITHUB_CLIENT_ID: 'id',
  CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
  CONNECTOR_GITHUB_ALLOW: 'org:acme',
  SCOPE_RULES: 'mcp:admin=group:ops; notes:*=domain:example.com',
};
const clock = new FakeClock(Date.parse('2026-03-01T12:00:00Z'));
const store = createSqliteStore(':memory:', clock);
const withStore: WithStore = (env, work) => commandsOn({ store, clock })(env, work);
const people = (line: string, env = {}, opened = withStore) => run(peopleCommands(opened), line, { ...ENV, ...env });
const rows = async (line: string) => JSON.parse((await people(`${line} --json`)).stdout) as Record<string, unknown>[];

describe('people check', () => {
  it('each connector has a line with the result, the rule that decides and the scopes', async () => {
    const { stdout, stderr, status } = await people('check alice@example.com');
    expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['CONNECTOR', 'RESULT', 'REASON', 'SCOPES'],
      ['acme', 'allowed', 'allowed by domain:example.com', 'notes:*'],
      ['github', 'refused', 'no rule allows this person', '-'],
      [''],
    ]);
    expect(stderr).toContain('The address counts as verified here');
    expect(status).toBe(0);
    expect((await people('check mallory@evil.example')).status).toBe(1);
  });

  it('HOSTED_DOMAIN is compared with the domain of the address without case, and refuses others although everybody is allowed', async () => {
    const google = {
      CONNECTORS: 'google',
      CONNECTOR_GOOGLE_CLIENT_ID: 'id',
      CONNECTOR_GOOGLE_CLIENT_SECRET: 'secret',
      CONNECTOR_GOOGLE_HOSTED_DOMAIN: 'example.com',
      CONNECTOR_GOOGLE_ALLOW: 'anyone',
      SCOPE_RULES: 'none',
    };
    for (const email of ['alice@example.com', 'alice@EXAMPLE.com'])
      expect((await people(`check ${email}`, google)).stdout).toContain('allowed by anyone');
    const { stdout } = await people('check mallory@evil.example', google);
    expect(stdout).toContain('HOSTED_DOMAIN does not name the domain of this account: evil.example');
  });

  it('claims from a file are read as the connector reads them', async () => {
    const verified = { sub: '1', email: 'alice@example.com', email_verified: true };
    const check = async (claims: object) =>
      (await rows(`check alice@example.com --connector acme --claims ${fileWith(claims)}`))[0];
    expect(await check({ ...verified, groups: ['ops'] })).toMatchObject({
      result: 'allowed',
      scopes: 'mcp:admin notes:*',
    });
    expect(await check({ ...verified, groups: 'contractors' })).toMatchObject({
      reason: 'denied by group:contractors',
    });
    expect(await check({ ...verified, email_verified: false })).toMatchObject({
      result: 'refused',
      reason: expect.stringContaining('does not say that the e-mail address is verified'),
    });
  });

  it.each([[[{ name: 'contractors' }]], [{ contractors: {} }], [[['contractors']]]])(
    'a person is refused if groups cannot be read and a rule denies a group: %j',
    async (groups) => {
      const path = fileWith({ sub: '1', email: 'alice@example.com', email_verified: true, groups });
      expect(await rows(`check alice@example.com --connector acme --claims ${path}`)).toMatchObject([
        {
          result: 'refused',
          reason: "group:contractors can't be decided: the claim groups has members that are no text",
        },
      ]);
    },
  );

  it.each([
    ['no subject', {}, 'sub of the person is not text'],
    ['a subject that is no text', { sub: { toString: 1 } }, 'sub of the person is not text'],
    ['the issuer of another provider', { sub: '1', iss: 'https://evil.example' }, 'the claims name another issuer'],
    ['an issuer that is no text', { sub: '1', iss: { toString: 1 } }, 'the claims name another issuer'],
  ])('OpenID Connect Core §3.1.3.7 claims with %s are refused, as at a sign-in', async (_, change, reason) => {
    const path = fileWith({ email: 'alice@example.com', email_verified: true, ...change });
    const checked = await rows(`check alice@example.com --connector acme --claims ${path}`);
    expect(checked).toMatchObject([{ result: 'refused', reason }]);
  });

  it("for GitHub the file has the answers of GitHub's API", async () => {
    const check = async (answers: object) =>
      (await rows(`check alice@example.com --connector github --claims ${fileWith(answers)}`))[0];
    const user = { id: 583231, login: 'octocat' };
    expect(await check({ user, orgs: [{ id: 1, login: 'Acme' }] })).toMatchObject({ result: 'allowed' });
    expect(await check({ user, orgs: [{ id: 1, login: 'acme-fans' }] })).toMatchObject({ result: 'refused' });
    expect(await check({})).toMatchObject({ reason: expect.stringContaining('no member user') });
  });

  it.each([
    ['check alice', /<email>: "alice" is not an address/],
    ['check a@b.example --connector nobody', /--connector: expected one of acme, github/],
    ['check a@b.example --claims /nowhere', /can't be read \(ENOENT\)/],
  ])('%s is a mistake that is named', async (line, message) => {
    const { stderr, status } = await people(line);
    expect(stderr).toMatch(message);
    expect(status).not.toBe(0);
  });

  it('rules about organisations are about the claim that ORG_CLAIM names', async () => {
    const env = { CONNECTOR_ACME_ORG_CLAIM: 'tenant.names', CONNECTOR_ACME_ALLOW: 'org:blue' };
    const claims = { sub: '1', tenant: { names: ['red', 'blue'] } };
    const line = `check alice@example.com --connector acme --claims ${fileWith(claims)} --json`;
    expect(JSON.parse((await people(line, env)).stdout)).toMatchObject([
      { result: 'allowed', reason: 'allowed by org:blue' },
    ]);
  });

  it.each([
    ['a verified address', { email: 'Bob@Example.com', email_verified: true }],
    ['an address that is not verified', { email: 'bob@example.com' }],
  ])('claims of somebody else are refused: %s', async (_, change) => {
    const path = fileWith({ sub: '1', ...change });
    const { stdout, stderr, status } = await people(`check alice@example.com --connector acme --claims ${path}`);
    expect(stderr).toMatch(/--claims: the claims are of bob@example\.com, not of alice@example\.com/i);
    expect([stdout, status]).toEqual(['', 2]);
    expect((await people(`check BOB@example.com --connector acme --claims ${path}`)).stderr).not.toContain('--claims');
  });

  it('a file that is not an object of claims is named', async () => {
    for (const content of ['[]', 'x', '"text"']) {
      expect((await people(`check a@b.example --claims ${fileWith(content)}`)).status).not.toBe(0);
    }
  });
});

describe('people check of a connector with SCIM', () => {
  const ALICE = 'check alice@example.com --connector acme';
  const env = { CONNECTOR_ACME_SCIM_TOKEN: TOKEN };
  const claims = { sub: 'alice', email: 'alice@example.com', email_verified: true };

  it('a person whom the provider has deactivated is refused with the day, until the provider activates them again', async () => {
    await using server = await startWithScim({ store, clock });
    const id = await provision(server, 'alice');
    const line = `${ALICE} --claims ${fileWith(claims)}`;
    expect((await people(line, env)).stdout).toContain('allowed by domain:example.com');
    await setActive(server, id, false);
    const { stdout, status } = await people(line, env);
    expect(stdout).toMatch(/^acme +refused +deactivated by SCIM on 2026-03-01 +-$/m);
    expect(status).toBe(1);
    expect((await people(`${ALICE} --subject alice`, env)).stdout).toContain('deactivated by SCIM on 2026-03-01');
    expect((await people(`${ALICE} --subject bob`, env)).stdout).toContain('allowed by domain:example.com');
    expect((await people(line)).stdout, 'a connector without SCIM').toContain('allowed by domain:example.com');
    await setActive(server, id, true);
    expect((await people(line, env)).stdout).toContain('allowed by domain:example.com');
  });

  it('without a subject the command says that it has not asked', async () => {
    const { stdout, stderr } = await people(ALICE, env);
    expect(stdout).toContain('allowed by domain:example.com');
    expect(stderr).toContain('Whether SCIM has deactivated the person is not known without --claims or --subject.');
    expect((await people(ALICE)).stderr).not.toContain('SCIM');
  });

  it('if the store cannot be read, the rules are checked, and the command says what is not known', async () => {
    const closed: WithStore = async () => {
      throw new StartError('Redis at redis.example does not answer');
    };
    const { stdout, stderr } = await people(`${ALICE} --subject alice`, env, closed);
    expect(stdout).toContain('allowed by domain:example.com');
    expect(stderr).toContain(
      'Whether SCIM has deactivated the person is not known: Redis at redis.example does not answer',
    );
  });

  it('a subject is also what rules about subjects compare, and goes without claims only', async () => {
    const subjects = { CONNECTOR_ACME_ALLOW: 'subject:248289761001' };
    expect((await people(`${ALICE} --subject 248289761001`, subjects)).stdout).toContain('allowed by subject:');
    for (const [option, reason] of [
      [`--subject x --claims ${fileWith(claims)}`, '--subject: the claims name the subject'],
      ['--subject=', '--subject: "" is not a subject'],
    ]) {
      const { stderr, status } = await people(`${ALICE} ${option}`);
      expect(stderr).toContain(reason);
      expect(status).toBe(2);
    }
  });
});
