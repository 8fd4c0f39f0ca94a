/** Proves the questions of `configure`: a person at a terminal sets up a provider, and each answer is judged when it is given. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { parseEnv } from 'node:util';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Terminal, terminalOn } from '../../src/cli/configure/ask.ts';
import { configureCommand } from '../../src/cli/configure/configure.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { start } from '../support/oidc-stand-in.ts';
import { Reply } from '../support/upstream-stand-in.ts';
import { appleKey, TENANT } from '../support/vendors.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'configure-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A real terminal with a person who types one answer after the other, and ends the input when none is left. */
function person(answers: readonly string[]) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...answers];
  const asked: string[] = [];
  const open = (): Terminal => {
    const terminal = terminalOn(input, output.resume());
    const ask: Terminal['ask'] = (question, options) => {
      asked.push(question.split(/[ :]/)[0] ?? '');
      const answer = terminal.ask(question, options);
      const next = left.shift();
      input.write(next === undefined ? '\u0004' : `${next}\r`);
      return answer;
    };
    return { ...terminal, ask };
  };
  return { asked, left, open };
}

async function converse(answers: readonly string[], line = '', env = {}) {
  const { open, ...said } = person(answers);
  const commands = { name: 'auth-server', summary: '', commands: [configureCommand(kinds, folder, open)] };
  return { ...(await run(commands, `configure ${line}`, env)), ...said };
}

const envFile = () => parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
const SERVER = 'https://auth.example.com';
const RULE = 'group:b1a2c3d4-0000-4000-8000-123456789abc';
const ENTRA = {
  CONNECTORS: 'entra',
  CONNECTOR_ENTRA_TENANT: TENANT,
  CONNECTOR_ENTRA_CLIENT_ID: 'client',
  CONNECTOR_ENTRA_CLIENT_SECRET: 'secret',
  CONNECTOR_ENTRA_ALLOW: RULE,
};

describe('the questions of configure', () => {
  it('a person answers them, the connection is tried, and .env is written', async () => {
    await using upstream = await start();
    upstream.stage.routes.set('/authorize', () => new Reply(200, '<form>Sign in</form>'));
    upstream.stage.routes.set('/token', () => new Reply(400, { error: 'invalid_grant' }));
    const answers = ['oidc', 'acme', SERVER, upstream.issuer, 'client', 'secret', 'domain:example.com'];
    const { status, stdout, stderr, asked } = await converse(answers);
    expect([status, stderr]).toEqual([0, '']);
    expect(asked).toEqual(['Identity', 'Id', 'Public', 'ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'Who']);
    expect(stdout).toContain(`Open the administration of your OpenID provider\n`);
    expect(stdout).toContain(`${SERVER}/callback/acme`);
    expect(stdout.match(/^✓/gm)).toHaveLength(3);
    expect(stdout).not.toContain('secret\n');
    expect(envFile()).toEqual({
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: upstream.issuer,
      CONNECTOR_ACME_CLIENT_ID: 'client',
      CONNECTOR_ACME_CLIENT_SECRET: 'secret',
      CONNECTOR_ACME_ALLOW: 'domain:example.com',
    });
  });

  it('an option answers its question, so that only the others are asked', async () => {
    const { status, asked } = await converse(
      ['', SERVER, 'client', 'secret', RULE],
      `--provider entra --tenant ${TENANT} --no-test`,
    );
    expect([status, asked]).toEqual([0, ['Id', 'Public', 'CLIENT_ID', 'CLIENT_SECRET', 'Who']]);
    expect(envFile()).toEqual(ENTRA);
  });

  it('without a person the same settings come from options alone, and the connection is tried', async () => {
    const path = `/${TENANT}/v2.0`;
    await using upstream = await start(path);
    upstream.stage.routes.set(`${path}/authorize`, () => new Reply(200, '<form>Sign in</form>'));
    upstream.stage.routes.set(`${path}/token`, () => new Reply(400, { error: 'invalid_grant' }));
    const authority = new URL(upstream.issuer).origin;
    const line = `--provider entra --tenant ${TENANT} --authority ${authority} --client-id client --client-secret secret --allow ${RULE}`;
    const commands = { name: 'auth-server', summary: '', commands: [configureCommand(kinds, folder, () => undefined)] };
    const { status, stdout, stderr } = await run(commands, `configure ${line}`);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^✓/gm)).toHaveLength(3);
    expect(envFile()).toEqual({ ...ENTRA, CONNECTOR_ENTRA_AUTHORITY: authority });
  });

  it('an invalid answer is named and asked again, and no other answer is lost', async () => {
    const { status, stderr, asked } = await converse(
      [
        ...['entro', 'entra', 'My Entra', 'entra', 'auth.example.com', SERVER],
        ...['client', '', 'secret', 'contoso', TENANT, 'example.com', 'team:a/b', RULE],
      ],
      '--no-test',
    );
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^expected one of .*entra.* \(got "entro"\)$/),
      expect.stringMatching(/^an id may only contain .* \(got "My Entra"\)$/),
      expect.stringMatching(/^expected .*URL.*/),
      expect.stringMatching(/^CONNECTOR_ENTRA_TENANT: expected a tenant id.* \(got "contoso"\)$/),
      expect.stringMatching(/^CONNECTOR_ENTRA_ALLOW: .*is not a rule/),
      expect.stringMatching(/^CONNECTOR_ENTRA_ALLOW: team:a\/b can't match here/),
      '',
    ]);
    expect(asked.filter((name) => name === 'CLIENT_SECRET')).toHaveLength(2);
    expect(status).toBe(0);
    expect(envFile()).toEqual(ENTRA);
  });

  it.each([
    ['an option', '--tenant contoso', {}],
    ['a variable of before, which is offered as the answer', '', { CONNECTOR_ENTRA_TENANT: 'contoso' }],
  ])('an invalid value of %s is named, and the person is asked instead', async (_, option, env) => {
    const answers = ['', SERVER, 'client', 'secret', ...(option ? [] : ['']), TENANT, RULE];
    const { status, stderr, left } = await converse(answers, `--provider entra --no-test ${option}`, env);
    expect(stderr).toMatch(/^CONNECTOR_ENTRA_TENANT: expected a tenant id.* \(got "contoso"\)\n$/);
    expect([status, left]).toEqual([0, []]);
    expect(envFile()).toEqual(ENTRA);
  });

  it('CWE-532 a secret that is refused is not repeated', async () => {
    const env = { NODE_ENV: 'production' };
    const answers = ['', SERVER, 'client', 'development-only-secret', 'secret', TENANT, RULE];
    const { stderr, status } = await converse(answers, '--provider entra --no-test', env);
    expect(stderr).toMatch(/^CONNECTOR_ENTRA_CLIENT_SECRET: is a secret of the development setup/);
    expect(stderr).not.toContain('development-only-secret');
    expect([status, envFile()]).toEqual([0, ENTRA]);
  });

  it.each([
    ['a setting that no question is about', '--timeout soon', {}, /CONNECTOR_ENTRA_TIMEOUT: /],
    [
      'a variable that no question is about',
      '',
      { CONNECTOR_ENTRA_SCOPE: 'openid' },
      /CONNECTOR_ENTRA_SCOPE: .*SCOPES/,
    ],
    ['a file that is not there', '--client-secret-file /nowhere', {}, /CLIENT_SECRET.*nowhere/],
    ['a form that is not known', '--print yaml', {}, /--print: expected one of env, compose, kubernetes/],
  ])('%s is named before the first of them', async (_, option, env, message) => {
    const { status, stderr, asked } = await converse(['', SERVER], `--provider entra ${option}`, env);
    expect(stderr).toMatch(message);
    expect(status).not.toBe(0);
    expect(asked.filter((name) => /^(TENANT|CLIENT)/.test(name))).toEqual([]);
    expect(() => envFile()).toThrow();
  });

  it('a value that .env cannot hold is named at once', async () => {
    const answers = ['', SERVER, 'client', `a'b"c$d`, 'secret', TENANT, RULE];
    const { stderr, status } = await converse(answers, '--provider entra --no-test');
    expect(stderr).toMatch(/^CONNECTOR_ENTRA_CLIENT_SECRET has quotes .*CONNECTOR_ENTRA_CLIENT_SECRET_FILE/);
    expect([status, envFile()]).toEqual([0, ENTRA]);
  });

  it('the key of Apple has several lines, so the question is for its file', async () => {
    const path = join(folder, 'AuthKey_KEY.p8');
    writeFileSync(path, appleKey.pem);
    const answers = ['', SERVER, 'com.example.mcp', 'TEAM', 'KEY', '/nowhere', path, 'email:alice@example.com'];
    const { status, stderr, asked } = await converse(answers, '--provider apple --no-test');
    expect(stderr).toMatch(/^CONNECTOR_APPLE_PRIVATE_KEY: .*\/nowhere.*can't be read/);
    expect(asked.slice(-3)).toEqual(['PRIVATE_KEY_FILE', 'PRIVATE_KEY_FILE', 'Who']);
    expect(status).toBe(0);
    expect(envFile()).toMatchObject({ CONNECTOR_APPLE_PRIVATE_KEY_FILE: path });
  });

  it('a person who ends the input changes nothing', async () => {
    const { status, stderr } = await converse(['', SERVER, 'client', 'secret'], '--provider entra --no-test');
    expect(stderr).toContain('cancelled: nothing was written');
    expect(status).not.toBe(0);
    expect(() => envFile()).toThrow();
  });
});
