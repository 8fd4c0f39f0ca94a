/** Proves `configure`: a provider is set up by options, the connection is tried, and the settings are written. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { run } from '@mcp-oauth/shared/testing/terminal';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configureCommand } from '../../src/cli/configure/configure.ts';
import { linesOf, withVariables } from '../../src/cli/configure/output.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { type Play, start } from '../support/oidc-stand-in.ts';
import { Reply } from '../support/upstream-stand-in.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));

let folder: string;
let upstream: Play;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'configure-'));
  upstream = await start();
  upstream.stage.routes.set('/authorize', () => new Reply(200, '<form>Sign in</form>'));
});
afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const configure = (line: string, env = {}) =>
  run({ name: 'auth-server', summary: '', commands: [configureCommand(kinds, folder)] }, `configure ${line}`, env);
const oidc = (more = '') =>
  `--provider oidc --id acme --server-url https://auth.example.com --issuer ${upstream.issuer} --client-id client --client-secret secret --allow domain:example.com ${more}`;
const envFile = () => readFileSync(join(folder, '.env'), 'utf8');

describe('configure', () => {
  it('the connection is tried up to the login page and the client credentials, and .env is written', async () => {
    upstream.stage.routes.set('/token', () => new Reply(400, { error: 'invalid_grant' }));
    const { status, stdout, stderr } = await configure(oidc());
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('https://auth.example.com/callback/acme');
    expect(stdout.match(/^✓.*/gm)).toEqual([
      expect.stringContaining('the provider is found'),
      expect.stringContaining('its login page opens'),
      expect.stringContaining('it accepts the client id and secret'),
    ]);
    expect(envFile()).toBe(
      `CONNECTORS=acme\nCONNECTOR_ACME_TYPE=oidc\nCONNECTOR_ACME_ISSUER=${upstream.issuer}\nCONNECTOR_ACME_CLIENT_ID=client\nCONNECTOR_ACME_CLIENT_SECRET=secret\nCONNECTOR_ACME_ALLOW=domain:example.com\n`,
    );
    expect(statSync(join(folder, '.env')).mode & 0o077).toBe(0);
  });

  it('RFC 6749 §5.2 a client secret that the provider refuses is found', async () => {
    upstream.stage.routes.set('/token', () => new Reply(401, { error: 'invalid_client', error_description: 'wrong' }));
    const { status, stdout } = await configure(oidc());
    expect(stdout).toMatch(/^✗ it accepts the client id and secret: .*credentials.*wrong/m);
    expect(status).toBe(1);
  });

  it.each([
    [
      'a status',
      () => new Reply(400, 'Invalid parameter: redirect_uri'),
      /answered 400: Invalid parameter: redirect_uri.*registered there/,
    ],
    ['a page', () => new Reply(200, '<p>AADSTS50011: The redirect URI does not match</p>'), /AADSTS50011/],
  ])('a redirect URI that is not registered is found, by %s', async (_, reply, found) => {
    upstream.stage.routes.set('/authorize', reply);
    const { status, stdout } = await configure(oidc());
    expect(stdout).toMatch(found);
    expect(status).toBe(1);
  });

  it.each([
    [
      'Microsoft Entra, which shows it by a script',
      '<script>$Config={"strServiceExceptionMessage":"AADSTS700016: no app"}</script>',
    ],
    ['GitHub', '<p>The <code>redirect_uri</code> is not associated with this application.</p>'],
  ])('a refusal on a page of status 200 is found: %s', async (_, page) => {
    upstream.stage.routes.set('/authorize', () => new Reply(200, page));
    const { status, stdout } = await configure(oidc());
    expect(stdout).toMatch(/^✗ its login page opens: .*(AADSTS700016: no app|redirect_uri is not)/m);
    expect(status).toBe(1);
  });

  it('a login page whose addresses and scripts mention the redirect URI is no refusal', async () => {
    const page =
      '<a href="/login?redirect_uri=https%3A%2F%2Fnot-notes.example">Sign in</a><script>e="redirect_uri_mismatch AADSTS50011"</script>';
    upstream.stage.routes.set('/authorize', () => new Reply(200, page));
    upstream.stage.routes.set('/token', () => new Reply(400, { error: 'invalid_grant' }));
    expect((await configure(oidc())).status).toBe(0);
  });

  it('a provider that has other settings of the connector already keeps them: SCIM, and a secret in a file', async () => {
    writeFileSync(join(folder, 'secret'), 'secret-in-a-file');
    const env = {
      CONNECTOR_ACME_SCIM_TOKEN: 'a-token-of-acme-that-nobody-could-guess',
      CONNECTOR_ACME_CLIENT_SECRET_FILE: join(folder, 'secret'),
    };
    const { status, stderr } = await configure(oidc('--no-test').replace('--client-secret secret', ''), env);
    expect([status, stderr]).toEqual([0, '']);
    expect(envFile()).not.toContain('SECRET');
  });

  describe('with a client secret in a file', () => {
    let path: string;
    const inFile = (more = '') =>
      oidc(more).replace('--client-secret secret', `--client-secret-file ${join(folder, 'secret')}`);
    beforeEach(() => {
      path = join(folder, 'secret');
      writeFileSync(path, 'secretOfTheFile\n');
    });

    it('the connection is tried with the secret, .env names the file, and a secret of before is removed', async () => {
      const sent: string[] = [];
      upstream.stage.routes.set('/token', (_, { headers }) => {
        sent.push(String(headers.authorization));
        return new Reply(400, { error: 'invalid_grant' });
      });
      const before = 'CONNECTOR_ACME_CLIENT_SECRET=old\nLOG_LEVEL=debug\nexport CONNECTOR_ACME_CLIENT_SECRET="older"\n';
      writeFileSync(join(folder, '.env'), before);
      const { status, stdout, stderr } = await configure(inFile(), { CONNECTOR_ACME_CLIENT_SECRET: 'older' });
      expect([status, stderr]).toEqual([0, '']);
      expect(sent).toEqual([`Basic ${btoa('client:secretOfTheFile')}`]);
      expect(stdout).toContain('Removed CONNECTOR_ACME_CLIENT_SECRET from .env');
      expect(parseEnv(envFile())).toEqual({
        LOG_LEVEL: 'debug',
        CONNECTORS: 'acme',
        CONNECTOR_ACME_TYPE: 'oidc',
        CONNECTOR_ACME_ISSUER: upstream.issuer,
        CONNECTOR_ACME_CLIENT_ID: 'client',
        CONNECTOR_ACME_CLIENT_SECRET_FILE: path,
        CONNECTOR_ACME_ALLOW: 'domain:example.com',
      });
    });

    it('a secret of its own replaces the file of before', async () => {
      writeFileSync(join(folder, '.env'), `CONNECTOR_ACME_CLIENT_SECRET_FILE=${path}\n`);
      await configure(oidc('--no-test'), { CONNECTOR_ACME_CLIENT_SECRET_FILE: path });
      expect(parseEnv(envFile())).toMatchObject({ CONNECTOR_ACME_CLIENT_SECRET: 'secret' });
      expect(envFile()).not.toContain('SECRET_FILE');
    });

    it('a variable outside of .env that counts before the file is named', async () => {
      const { stderr } = await configure(inFile('--no-test'), { CONNECTOR_ACME_CLIENT_SECRET: 'exported' });
      expect(stderr).toContain('CONNECTOR_ACME_CLIENT_SECRET is set outside of .env and counts before');
    });

    it('the output for compose and Kubernetes says where the file has to be copied', async () => {
      const compose = (await configure(inFile('--no-test --print compose'))).stdout;
      expect(compose).toContain('CONNECTOR_ACME_CLIENT_SECRET_FILE=/run/connectors/acme\n');
      expect(compose).toContain(`cp '${path}' secrets/connectors/acme   # CONNECTOR_ACME_CLIENT_SECRET`);
      const kubernetes = (await configure(inFile('--no-test --print kubernetes'))).stdout;
      expect(kubernetes).toContain('CONNECTOR_ACME_CLIENT_SECRET_FILE=/run/secrets/connector-acme-client-secret\n');
      expect(kubernetes).toContain(`# secrets/connector-acme-client-secret: a copy of ${path}`);
    });

    it.each([
      ['a file that is not there', () => inFile().replace(path, '/nowhere'), /CLIENT_SECRET_FILE.*nowhere/],
      ['two secrets', () => inFile('--client-secret secret'), /--client-secret-file: .*only one/],
    ])('%s is a mistake that is named, and nothing is written', async (_, line, message) => {
      const { status, stderr } = await configure(`${line()} --no-test`);
      expect(stderr).toMatch(message);
      expect(status).not.toBe(0);
      expect(() => envFile()).toThrow();
    });
  });

  it('a provider that cannot be reached is named', async () => {
    await upstream.stop();
    const { status, stdout } = await configure(oidc());
    expect(stdout).toMatch(/^✗ the provider is found: .*ECONNREFUSED/m);
    expect(status).toBe(1);
  });

  it('an existing .env keeps everything else, and the other connectors', async () => {
    writeFileSync(join(folder, '.env'), '# mine\nLOG_LEVEL=debug\nCONNECTORS=github\nCONNECTOR_ACME_CLIENT_ID=old\n');
    await configure(oidc('--no-test'), { CONNECTORS: 'github' });
    expect(envFile().split('\n').slice(0, 4)).toEqual([
      '# mine',
      'LOG_LEVEL=debug',
      'CONNECTORS=github,acme',
      'CONNECTOR_ACME_CLIENT_ID=client',
    ]);
  });

  it('a secret may come as a variable, and stays out of the output', async () => {
    const line = oidc('--no-test --print compose').replace('--client-secret secret', '');
    const { stdout } = await configure(line, { CONNECTOR_ACME_CLIENT_SECRET: 'a-secret-value' });
    expect(stdout).toContain('CONNECTOR_ACME_CLIENT_SECRET_FILE=/run/connectors/acme');
    expect(stdout).not.toContain('a-secret-value');
    const { stdout: kubernetes } = await configure(oidc('--no-test --print kubernetes'));
    expect(kubernetes).toContain('CONNECTOR_ACME_CLIENT_SECRET_FILE=/run/secrets/connector-acme-client-secret');
  });

  it.each([
    ['', /--provider is missing/],
    ['--provider nothing', /--provider: expected one of/],
    ['--provider google', /--client-id is missing/],
    ['--provider google --client-id a --client-secret b', /--allow is missing/],
    ['--provider google --client-id a --client-secret b --allow org:x', /org:x|ALLOW/],
    [
      '--provider google --client-id a --client-secret b --allow example.com',
      /CONNECTOR_GOOGLE_ALLOW: .*is not a rule/,
    ],
  ])('%s is a mistake that is named, and nothing is written', async (line, message) => {
    const { status, stderr } = await configure(`${line} --no-test`);
    expect(stderr).toMatch(message);
    expect(status).not.toBe(0);
    expect(() => envFile()).toThrow();
  });
});

describe('the written lines', () => {
  it('values are quoted where a shell or compose would change them', () => {
    expect(linesOf({ A: 'plain:value', B: 'with space', C: "it's", D: 'a $HOME' })).toEqual([
      'A=plain:value',
      "B='with space'",
      'C="it\'s"',
      "D='a $HOME'",
    ]);
  });

  it('a variable that is set twice is set once afterwards', () => {
    expect(withVariables('A=1\nB=2\nexport A=3\n', { A: '4' })).toBe('A=4\nB=2\n');
  });

  it('an assignment over several lines is replaced whole, and everything else stays', () => {
    expect(withVariables('# A=comment\nB="x\ny"\nAB=3', { B: 'one', A: 'a b' })).toBe(
      "# A=comment\nB=one\nAB=3\nA='a b'\n",
    );
  });

  it('every value is read back as it was, or is refused with the name of the setting', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (value, rest) => {
        const before = `${rest.replaceAll(/["'`]/g, '')}\nOTHER=1\n`;
        let content: string;
        try {
          content = withVariables(before, { SECRET: value });
        } catch (error) {
          expect((error as Error).message).toMatch(/^SECRET /);
          return;
        }
        expect(parseEnv(content)).toEqual({ ...parseEnv(before), SECRET: value });
      }),
    );
  });

  it.each(['two words', 'a $DOLLAR', 'a#b', 'say "hi"', "it's", 'C:\\path', '{"a":["b"]}'])(
    'the value %j is written and read back',
    (value) => {
      expect(parseEnv(withVariables('X=1\n', { V: value }))).toEqual({ X: '1', V: value });
    },
  );
});
