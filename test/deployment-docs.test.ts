/**
 * Proves that docs/deployment.md can be followed literally: compose accepts each of its commands, and starts what the
 * page says.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { settings as mcpServer } from '../mcp-server/src/config.ts';
import { settingsOfUpstream } from '../mcp-server/src/upstream/settings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .map(([, text = '']) => text)
  .filter((text) => text.includes('docker compose'));

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;

/** Prints what would be started instead of starting it; other commands of docker do nothing. */
const DOCKER = `xargs() { cat >/dev/null; }
docker() {
  case "$1 $* " in compose*" up "*) ;; *) return 0 ;; esac
  words=(); for word in "$@"; do [ "$word" != up ] || break; words+=("$word"); done
  command docker "\${words[@]}" config --format json
}`;

interface Composed {
  readonly services: Readonly<
    Record<
      string,
      {
        environment?: Record<string, string>;
        ports?: object[];
        volumes?: { source: string; target: string }[];
        networks?: object;
        secrets?: { source: string }[];
      }
    >
  >;
}

/**
 * The compose configuration of a script, with only the variables that the script sets and `.env` as the page has it.
 */
function run(script: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'deployment-docs-'));
  try {
    for (const path of ['docker-compose.yml', 'deploy']) cpSync(join(ROOT, path), join(cwd, path), { recursive: true });
    writeFileSync(join(cwd, '.env'), 'PUBLIC_URL=https://mcp.example.com\nUPSTREAMS=github\n');
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    return spawnSync('bash', ['-ec', `${DOCKER}\n${script}`], { cwd, env, encoding: 'utf8' });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

function composed(script: string): Composed['services'] {
  const { stdout, stderr, status } = run(script);
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as Composed).services;
}

const cluster = ['redis-1', 'redis-2', 'redis-3', 'redis-4', 'redis-5', 'redis-6'];
const sentinels = ['redis-replica', 'redis-sentinel-1', 'redis-sentinel-2', 'redis-sentinel-3'];
const ours = ['auth-server', 'certificates', 'gateway', 'mcp-server'];

/** Pages with files of other places: the cluster, and the examples of the settings. */
const ELSEWHERE = ['docs/kubernetes.md', 'docs/configuration.md', 'docs/existing-issuers/programs.md'];

/** A setting of Node in the compose files. */
const NODES_OWN = 'NODE_EXTRA_CA_CERTS';

/** Variables by which compose checks that one of ISSUER and ISSUERS is set. */
const CHECKED = Object.keys(parseEnv(readFileSync(join(ROOT, 'deploy/compose/existing-issuer.env'), 'utf8')));

/** With each override, in production. In development nothing obtains certificates, and the development IdP runs where auth-server does. */
const SETUPS: readonly (readonly [overrides: string, services: readonly string[]])[] = [
  ['', [...ours, 'redis', 'redis-authorization']],
  ['redis-external', ours],
  ['redis-sentinel', [...ours, 'redis', ...sentinels]],
  ['redis-cluster', [...ours, ...cluster]],
  ['own-proxy', ['auth-server', 'mcp-server', 'redis', 'redis-authorization']],
  ['own-certificate', ['auth-server', 'gateway', 'mcp-server', 'redis', 'redis-authorization']],
  ['existing-issuer', ['certificates', 'gateway', 'mcp-server', 'redis']],
  ['existing-issuer redis-sentinel', ['certificates', 'gateway', 'mcp-server', 'redis', ...sentinels]],
  ['redis-sentinel existing-issuer', ['certificates', 'gateway', 'mcp-server', 'redis', ...sentinels]],
  ['existing-issuer own-proxy redis-external', ['mcp-server']],
  ['on-behalf', [...ours, 'redis', 'redis-authorization']],
  ['policies', [...ours, 'redis', 'redis-authorization']],
];

/** The settings that each override requires. */
const TOLD: Readonly<Record<string, string>> = {
  'redis-external': 'REDIS_URL=rediss://redis.example.com:6379',
  'own-proxy': 'PROXY_NETWORK=proxy',
  'own-certificate': 'CERTIFICATE_DIR=/etc/mcp-oauth',
  'existing-issuer': 'ISSUER=https://id.example.com/realms/staff',
};

/** The overrides that compose refuses without production.yml. */
const ONLY_IN_PRODUCTION = ['own-certificate'];

const filesOf = (names: readonly string[]) =>
  ['docker-compose.yml', ...names.map((name) => `deploy/compose/${name}.yml`)].map((file) => `-f ${file}`).join(' ');

describe('docs/deployment.md', () => {
  beforeEach((context) => context.skip(!hasCompose, 'needs the docker compose plugin: see .ci/compose-plugin.sh'));

  it('docs/deployment.md has only valid compose commands, and names every override', () => {
    expect(commands.length).toBeGreaterThan(5);
    const started = commands.map((text) => Object.keys(composed(text)).sort());
    const documented = SETUPS.filter(
      ([overrides]) =>
        !['redis-cluster', 'existing-issuer redis-sentinel', 'redis-sentinel existing-issuer'].includes(overrides),
    );
    for (const [overrides, services] of documented) expect(started, overrides).toContainEqual([...services].sort());
    for (const [overrides] of SETUPS) for (const name of overrides.split(' ')) expect(page).toContain(name);
  });

  it('each secret of auth-server that a page names by its file in a container is mounted there in production', () => {
    const files = filesOf(['production']);
    const { secrets = [], volumes = [] } = composed(`docker compose ${files} up -d`)['auth-server'] ?? {};
    const mounted = [
      ...secrets.map(({ source }) => `/run/secrets/${source}`),
      ...volumes.map(({ target }) => `${target}/`),
    ];
    const pages = globSync('{README.md,docs/**/*.md}', { cwd: ROOT }).filter((path) => !ELSEWHERE.includes(path));
    const named = pages.flatMap((path) => [
      ...readFileSync(join(ROOT, path), 'utf8').matchAll(/_FILE=(\/run\/[\w./-]+)/g),
    ]);
    expect(named.length).toBeGreaterThan(3);
    for (const [, file = ''] of named)
      expect(
        mounted.some((place) => file.startsWith(place)),
        file,
      ).toBe(true);
  });

  describe.each(SETUPS)('with the overrides: %s', (overrides, services) => {
    const names = overrides.split(' ').filter(Boolean);
    const composedWith = (files: readonly string[]) => {
      const told = files.map((name) => TOLD[name] ?? '').join(' ');
      return composed(`${told} docker compose ${filesOf(files)} up`);
    };

    it('the overrides start exactly the documented services, in production and in development', () => {
      expect(Object.keys(composedWith(['production', ...names])).sort()).toEqual([...services].sort());
      const idp = services.includes('auth-server') ? ['development-idp'] : [];
      if (ONLY_IN_PRODUCTION.some((name) => names.includes(name))) return;
      const inDevelopment = services.filter((name) => name !== 'certificates');
      expect(Object.keys(composedWith(names)).sort()).toEqual([...inDevelopment, ...idp].sort());
    });

    it('mcp-server gets only known settings, and only the gateway and port 80 are reachable from outside', () => {
      const all = composedWith(['production', ...names]);
      const declared = Object.values(mcpServer).flatMap((setting) =>
        'secret' in setting ? [setting.env, `${setting.env}_FILE`] : [setting.env],
      );
      const ofGithub = Object.values(settingsOfUpstream).map(({ env }) => `UPSTREAM_GITHUB_${env}`);
      for (const name of Object.keys(all['mcp-server']?.environment ?? {}))
        expect([...declared, ...ofGithub, NODES_OWN, ...CHECKED]).toContain(name);
      for (const [name, { ports = [] }] of Object.entries(all)) {
        if (name === 'certificates') expect(ports).toEqual([expect.objectContaining({ published: '80' })]);
        else if (name !== 'gateway') expect([name, ports]).toEqual([name, []]);
      }
    });
  });

  it('each service has its own Redis, in a network that the other service is not in', () => {
    const { redis, 'redis-authorization': authorization, ...services } = composed(`docker compose ${filesOf([])} up`);
    const networksOf = (service: Composed['services'][string] | undefined) => Object.keys(service?.networks ?? {});
    const meet = (name: string, other: typeof redis) =>
      networksOf(services[name]).some((network) => networksOf(other).includes(network));
    expect([meet('mcp-server', redis), meet('auth-server', authorization)]).toEqual([true, true]);
    expect([meet('mcp-server', authorization), meet('auth-server', redis)]).toEqual([false, false]);
    expect([redis, authorization].map((one) => one?.secrets?.map(({ source }) => source))).toEqual([
      ['redis-mcp-server'],
      ['redis-auth-server'],
    ]);
  });

  it.each([
    ['redis-external', 'REDIS_URL'],
    ['own-proxy', 'PROXY_NETWORK'],
    ['own-certificate', 'CERTIFICATE_DIR'],
    ['existing-issuer', 'AUTHORIZATION_SERVER'],
  ])('the override %s says in one line that %s is missing', (name, variable) => {
    const { stdout, stderr, status } = run(`docker compose ${filesOf([name])} up`);
    expect([status === 0, stdout]).toEqual([false, '']);
    expect(stderr.trim()).toMatch(
      new RegExp(`^(error [^\n]*)?required variable ${variable} is missing a value: [^\n]+$`),
    );
    const said = stderr.trim().replace(/^.*(?=required variable)/, '');
    if (name === 'existing-issuer') expect(page).toContain(said);
  });

  it.each(ONLY_IN_PRODUCTION)('the override %s is refused without production.yml', (name) => {
    const { stderr, status } = run(`${TOLD[name]} docker compose ${filesOf([name])} up`);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/undefined secret storage-keys/);
  });

  it("the services trust the operator's certificate authority where one is set", () => {
    const files = filesOf(['redis-external']);
    const withAuthority = composed(
      `REDIS_URL=rediss://redis.example.com REDIS_CA_FILE=./ca.pem docker compose ${files} up`,
    );
    for (const name of ['auth-server', 'mcp-server']) {
      const { environment, volumes = [] } = withAuthority[name] ?? {};
      expect(environment?.REDIS_CA_FILE).toBe(volumes.find(({ source }) => source.endsWith('/ca.pem'))?.target);
    }
    const without = composed(`REDIS_URL=rediss://redis.example.com docker compose ${files} up`);
    expect(without['mcp-server']?.environment?.REDIS_CA_FILE).toBe('');
  });

  it('mcp-server trusts the certificate authorities of an existing issuer and of Redis', () => {
    const files = filesOf(['existing-issuer', 'redis-external']);
    const { environment, volumes = [] } =
      composed(
        `ISSUER=https://id.example.com ISSUER_CA_FILE=./id.pem REDIS_URL=rediss://redis.example.com REDIS_CA_FILE=./redis.pem docker compose ${files} up`,
      )['mcp-server'] ?? {};
    const at = (file: string) => volumes.find(({ source }) => source.endsWith(file))?.target;
    expect(environment).toMatchObject({ NODE_EXTRA_CA_CERTS: at('/id.pem'), REDIS_CA_FILE: at('/redis.pem') });
    const without = composed(`ISSUER=https://id.example.com docker compose ${filesOf(['existing-issuer'])} up`);
    expect(without['mcp-server']?.environment?.NODE_EXTRA_CA_CERTS).toBe('');
  });
});
