/** Proves that a misspelt setting, or one with an ambiguous value, is always reported. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { describe, expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

const SERVICES = ['auth-server', 'mcp-server'] as const;
const folder = mkdtempSync(join(tmpdir(), 'unknown-settings-'));

const start = async (service: string, env: NodeJS.ProcessEnv): Promise<Run> => {
  const [port] = await freePorts(1);
  return new Run({ PORT: String(port), DATA_DIR: folder, ...env }, `${service}/src/main.ts`);
};

const linesOf = (service: string, output: string) =>
  output.split('\n').filter((line) => line.startsWith(`${service}: `));

describe.each(SERVICES)('unknown settings at %s', (service) => {
  it('the service starts and reports unknown settings, also those of the other service, with suggestions', async () => {
    const run = await start(service, {
      REGISTRATON: 'off',
      AUDIENCE: 'x',
      REDIS_PORT: 'tcp://10.0.0.1:6379',
      HOME: '/',
    });
    await run.says('"msg":"ready"');
    const { output } = await run.stop();
    const said = output
      .split('\n')
      .flatMap((line) => line.match(/"msg":"([A-Z_]+: is not a setting[^"]*)"/)?.[1] ?? []);
    expect(said).toEqual([
      'AUDIENCE: is not a setting; did you mean AUDIENCES?',
      'REGISTRATON: is not a setting; did you mean REGISTRATION?',
    ]);
  });

  it('the service refuses to start in production with a misspelt protecting setting', async () => {
    const env = { NODE_ENV: 'production', REGISTRATON: 'off', DPOP_REQUIERD: 'true' };
    const refused = await (await start(service, env)).ended;
    expect(refused.code).toBe(1);
    const lines = linesOf(service, refused.output).filter((line) => line.includes('is not a setting'));
    expect(lines).toEqual([
      expect.stringContaining(`${service}: DPOP_REQUIERD: is not a setting, but looks like DPOP_REQUIRED`),
      expect.stringContaining(`${service}: REGISTRATON: is not a setting, but looks like REGISTRATION`),
    ]);
    const named = { ...env, FOREIGN_VARIABLES: 'REGISTRATON,DPOP_REQUIERD' };
    expect((await (await start(service, named)).ended).output).not.toContain('is not a setting');
  });

  it("the service names the replacement for a predecessor's variable, also when it does not start", async () => {
    const run = await start(service, { GITHUB_CLIENT_ID: 'Iv1.abc' });
    await run.says('"msg":"ready"');
    const answer = 'GITHUB_CLIENT_ID: is not a setting; set CONNECTORS=github and CONNECTOR_GITHUB_CLIENT_ID';
    expect((await run.stop()).output).toContain(answer);
    const refused = await (await start(service, { GITHUB_CLIENT_ID: 'Iv1.abc', LOG_LEVEL: 'loud' })).ended;
    expect(linesOf(service, refused.output)).toContain(`${service}: ${answer}`);
  });
});

it.each([
  ['mcp-server', 'AUDIENCES', '*'],
  ['mcp-server', 'AUDIENCES', 'https://mcp.example.com/mcp,'],
  ['mcp-server', 'AUDIENCES', 'https://*.example.com'],
  ['mcp-server', 'ALLOWED_HOSTS', '*'],
  ['mcp-server', 'ALLOWED_HOSTS', 'mcp-server,,'],
  ['mcp-server', 'ALLOWED_ORIGINS', '*'],
  ['mcp-server', 'ALLOWED_ORIGINS', 'https://*.example.com'],
  ['mcp-server', 'TOKEN_TYPES', '*'],
  ['mcp-server', 'TOKEN_ALGORITHMS', 'ES256,,RS256'],
  ['mcp-server', 'SCOPE_HIERARCHY', 'a>b,,'],
  ['auth-server', 'CONNECTORS', '*'],
  ['auth-server', 'CONNECTORS', 'development,'],
  ['auth-server', 'RESOURCES', '*'],
  ['auth-server', 'RESOURCES', 'http://localhost:8080,'],
  ['auth-server', 'RESOURCES', '[{"url":"http://localhost:8080","audience":"*"}]'],
  ['auth-server', 'TRUSTED_PROXIES', '*'],
  ['auth-server', 'TRUSTED_PROXIES', '0.0.0.0/0'],
  ['auth-server', 'TRUSTED_PROXIES', '::/0'],
  ['auth-server', 'TRUSTED_PROXIES', 'loopback,,'],
  ['auth-server', 'CLIENT_METADATA_PRIVATE_HOSTS', '*'],
] as const)('%s refuses %s=%s', async (service, name, value) => {
  const { code, output } = await (await start(service, { [name]: value })).ended;
  expect(linesOf(service, output)).toEqual([expect.stringContaining(`${service}: ${name}: `)]);
  expect(code).toBe(1);
});
