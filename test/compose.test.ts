/** Owns the promise that the compose file is one that Docker takes, and that it says nothing the services do not know. */
import { execFileSync, spawnSync } from 'node:child_process';
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

/** Of the built-in connector, whose names are a family. */
const CONNECTOR = ['CONNECTOR_DEVELOPMENT_INTERNAL_URL'];

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

  it('is accepted by docker compose', () => {
    expect(spawnSync('docker', ['compose', 'config', '-q'], { cwd }).status).toBe(0);
  });

  it('sets only variables that the service declares, and publishes on loopback only', () => {
    for (const [name, { environment = {}, build, ports = [] }] of Object.entries(composed().services)) {
      for (const { host_ip } of ports) expect([name, host_ip]).toEqual(['gateway', '127.0.0.1']);
      if (!build) continue;
      expect(build.args.SERVICE).toBe(name);
      const declared = Object.values(known[name] ?? {}).flatMap(({ env, secret }) =>
        secret ? [env, `${env}_FILE`] : env,
      );
      for (const variable of Object.keys(environment)) expect([...declared, ...CONNECTOR], name).toContain(variable);
    }
  });
});
