/** Proves that the compose file is valid for Docker, and that every setting in it is known to the services. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { settings as authServer } from '../auth-server/src/config.ts';
import { settings as developmentIdp } from '../development-idp/src/config.ts';
import { settings as mcpServer } from '../mcp-server/src/config.ts';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
const known: Readonly<Record<string, object>> = {
  'auth-server': authServer,
  'mcp-server': mcpServer,
  'development-idp': developmentIdp,
};

/** Settings of the built-in connector and of the upstream with built-in tools, whose names contain its id. */
const OF_ONE_ID = [
  ...['CONNECTOR_DEVELOPMENT_INTERNAL_URL', 'CONNECTOR_DEVELOPMENT_SCOPE_RULES'],
  ...['UPSTREAM_GITHUB_URL', 'UPSTREAM_GITHUB_MORE_HOSTS'],
];

interface Composed {
  readonly services: Readonly<
    Record<
      string,
      { environment?: Record<string, string>; build?: { args: { SERVICE: string } }; ports?: { host_ip?: string }[] }
    >
  >;
}

describe('docker-compose.yml', () => {
  beforeEach((context) => context.skip(!hasCompose, 'needs the docker compose plugin: see .ci/compose-plugin.sh'));

  const composed = (): Composed =>
    JSON.parse(execFileSync('docker', ['compose', 'config', '--format', 'json'], { cwd, encoding: 'utf8' }));

  it('docker compose accepts docker-compose.yml', () => {
    expect(spawnSync('docker', ['compose', 'config', '-q'], { cwd }).status).toBe(0);
  });

  it('docker-compose.yml sets only declared variables, and publishes ports on loopback only', () => {
    for (const [name, { environment = {}, build, ports = [] }] of Object.entries(composed().services)) {
      for (const { host_ip } of ports) expect([name, host_ip]).toEqual(['gateway', '127.0.0.1']);
      if (!build) continue;
      expect(build.args.SERVICE).toBe(name);
      const declared = Object.values(known[name] ?? {}).flatMap(({ env, secret }) =>
        secret ? [env, `${env}_FILE`] : env,
      );
      for (const variable of Object.keys(environment)) expect([...declared, ...OF_ONE_ID], name).toContain(variable);
    }
  });

  it('docker-compose.yml passes every setting of mcp-server on, except those set elsewhere', () => {
    const elsewhere = [
      ...['PORT', 'HOST', 'METRICS_PORT', 'TOOLS_DIR', 'FOREIGN_VARIABLES', 'REDIS_PASSWORD', 'REDIS_CA_FILE'],
      ...['ISSUER_INTERNAL_URL', 'HTTPS_PROXY', 'NO_PROXY'],
    ];
    const handed = Object.keys(composed().services['mcp-server']?.environment ?? {});
    const missing = Object.values(mcpServer)
      .map(({ env }) => env)
      .filter((name) => !handed.includes(name) && !elsewhere.includes(name));
    expect(missing).toEqual([]);
  });

  it('a .env made for `npm start` does not change the address of auth-server in compose', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-env-'));
    const lines = ['HOST=127.0.0.1', 'PORT=7777', 'STORAGE=sqlite', 'REDIS_URL=redis://localhost', 'REDIS_PASSWORD=x'];
    try {
      cpSync(join(cwd, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
      writeFileSync(join(folder, '.env'), [...lines, 'ISSUER=http://localhost:9000', 'NODE_ENV=production'].join('\n'));
      const json = execFileSync('docker', ['compose', 'config', '--format', 'json'], { cwd: folder, encoding: 'utf8' });
      expect((JSON.parse(json) as Composed).services['auth-server']?.environment).toMatchObject({
        HOST: '0.0.0.0',
        PORT: '9000',
        STORAGE: 'redis',
        REDIS_URL: 'redis://auth-server@redis-authorization:6379',
        REDIS_PASSWORD: '',
        ISSUER: 'http://localhost:8080',
        NODE_ENV: 'development',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
