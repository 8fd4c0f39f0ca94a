/**
 * Proves that an operator gets tools that act for people, enterprise sign-in and workload identity by docs/deployment.md,
 * docs/kubernetes.md and docs/workload-identity.md: the commands of the pages make files with which both services start, and
 * know each other.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { readConfig as readAuthServer } from '../auth-server/src/config.ts';
import { discoverKinds } from '../auth-server/src/federation/registry.ts';
import { readConfig as readMcpServer } from '../mcp-server/src/config.ts';
import { environmentOf } from './kubernetes/environment.ts';
import { hasKustomize, NEEDS_KUSTOMIZE, ofKind, parseManifests } from './kubernetes/manifest.ts';
import { schemaViolations } from './kubernetes/schema.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
const kinds = await discoverKinds(new URL('../auth-server/src/connectors/', import.meta.url));

type Environment = Readonly<Record<string, string>>;

/** The blocks below a heading, in order. */
function blocksOf(path: string, heading: string): readonly string[] {
  const [section = ''] = readFileSync(join(ROOT, path), 'utf8').split(`\n## ${heading}\n`)[1]?.split('\n## ') ?? [];
  return [...section.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, text = '']) =>
    text.replaceAll('…', 'of-operator'),
  );
}
const settingsIn = (block: string): Environment => parseEnv(block) as Record<string, string>;
const isSettings = (block: string) => /^[A-Z_]+=/.test(block) && !block.includes('docker');

/** Commands of a container run here, from the same sources; `up` prints what would start. */
const DOCKER = `docker() {
  case " $* " in
    " run "*) while [ "$1" != node ]; do shift; done; shift; (cd '${ROOT}mcp-server' && '${process.execPath}' "$@") ;;
    *" up "*) words=(); for word in "$@"; do [ "$word" = up ] && break; words+=("$word"); done
      command docker "\${words[@]}" config --format json ;;
  esac
}`;

const room = { folder: '' };
beforeEach(() => {
  room.folder = mkdtempSync(join(tmpdir(), 'on-behalf-docs-'));
  for (const path of ['docker-compose.yml', 'deploy'])
    cpSync(join(ROOT, path), join(room.folder, path), {
      recursive: true,
      filter: (from) => !from.endsWith('/secrets'),
    });
});
afterEach(() => rmSync(room.folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(join(room.folder, path, '..'), { recursive: true });
  writeFileSync(join(room.folder, path), text);
}

function follow(commands: string): string {
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: room.folder, env: { PATH, HOME }, encoding: 'utf8' } as const;
  return execFileSync('bash', ['-ec', `${DOCKER}\n${commands}`], options);
}

/** The environment with the places of files as the test has them. */
const placed = (env: Environment, places: readonly (readonly [inside: string, here: string])[]): Environment =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      places.reduce((text, [inside, here]) => text.replace(inside, here), value),
    ]),
  );

/** What holds for both services once the pages were followed. */
function expectTools(auth: Environment, mcp: Environment): void {
  const { clients, exchangePolicy, tools } = readAuthServer(auth, kinds);
  const { upstreams, exchangeKeys, exchangeClientId } = readMcpServer(mcp);
  expect(tools.map(({ id }) => id)).toEqual(['github']);
  expect(upstreams.map(({ id, target }) => [id, target])).toEqual([['github', { audience: 'github' }]]);
  expect(exchangePolicy).toMatchObject([{ client: exchangeClientId, connectors: ['github'] }]);
  const [client] = clients;
  expect(client?.client_id).toBe(exchangeClientId);
  expect(JSON.stringify(client)).toContain(JSON.stringify(exchangeKeys?.[0].kid));
  expect(JSON.stringify(client)).not.toContain('"d":');
}

const ACME = {
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://login.acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'mcp',
  CONNECTOR_ACME_CLIENT_SECRET: 'of-operator',
  CONNECTOR_ACME_ALLOW: 'domain:acme.example',
};

describe('docs/deployment.md', () => {
  beforeEach((context) => context.skip(!hasCompose, 'needs the docker compose plugin: see .ci/compose-plugin.sh'));

  interface Service {
    readonly environment: Readonly<Record<string, string | null>>;
    readonly secrets: readonly { readonly source: string }[];
    readonly volumes?: readonly { readonly source: string; readonly target: string }[];
  }

  /** The environment of each service, after the commands. @param more settings in .env */
  function started(commands: string, more: Environment): Record<'auth-server' | 'mcp-server', Environment> {
    for (const name of ['redis-auth-server', 'redis-mcp-server', 'storage-keys'])
      write(`secrets/${name}`, randomBytes(32).toString('base64'));
    write('secrets/connectors/github', 'of-operator');
    const env = { PUBLIC_URL: 'https://mcp.example.com', ...ACME, ...more };
    write(
      '.env',
      Object.entries(env)
        .map(([name, value]) => `${name}='${value}'\n`)
        .join(''),
    );
    const { services, secrets } = JSON.parse(follow(commands));
    const of = (name: string): Environment => {
      const { environment, secrets: given, volumes = [] } = services[name] as Service;
      const set = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== null);
      const files = given.map(({ source }) => [`/run/secrets/${source}`, secrets[source].file] as const);
      return placed(Object.fromEntries(set), [...files, ...volumes.map((one) => [one.target, one.source] as const)]);
    };
    return { 'auth-server': of('auth-server'), 'mcp-server': of('mcp-server') };
  }

  it('its section makes the key, the client and the policy, with which both services start in production', () => {
    const blocks = blocksOf('docs/deployment.md', 'Tools that act for people');
    const [settings = ''] = blocks.filter(isSettings);
    const [commands = ''] = blocks.filter((block) => block.includes('docker'));
    const both = started(commands, settingsIn(settings));
    expectTools(both['auth-server'], both['mcp-server']);
    expect(both['mcp-server']).not.toHaveProperty('CONNECTOR_GITHUB_CLIENT_ID');
    expect(both['auth-server']).not.toHaveProperty('EXCHANGE_KEY_FILE');
  });

  it('clients of a CLIENTS_FILE in .env stay, and the start says if mcp-server is not one of them', () => {
    const blocks = blocksOf('docs/deployment.md', 'Tools that act for people');
    const [settings = ''] = blocks.filter(isSettings);
    const [commands = ''] = blocks.filter((block) => block.includes('docker'));
    const own = [
      { client_id: 'nightly', client_secret: randomBytes(32).toString('hex'), grant_types: ['client_credentials'] },
    ];
    const CLIENTS_FILE = '/run/connectors/clients.json';
    write('secrets/connectors/clients.json', JSON.stringify(own));
    const { 'auth-server': env } = started(commands, { ...settingsIn(settings), CLIENTS_FILE });
    expect(() => readAuthServer(env, kinds)).toThrow('client "mcp-server": is not in CLIENTS');
    const printed = JSON.parse(readFileSync(join(room.folder, 'policies/clients.json'), 'utf8'));
    write('secrets/connectors/clients.json', JSON.stringify([...own, ...printed]));
    const { clients } = readAuthServer(env, kinds);
    expect(clients.map(({ client_id }) => client_id)).toEqual(['nightly', 'mcp-server']);
  });

  it('auth-server knows another MCP server by a compose file as the page shows it, and not by .env', () => {
    const blocks = blocksOf('docs/deployment.md', 'Tools that act for people');
    const [settings = ''] = blocks.filter(isSettings);
    const [commands = ''] = blocks.filter((block) => block.includes('docker'));
    write('own.yml', blocks.find((block) => block.startsWith('services:')) ?? '');
    const resource = 'https://billing.example.com/mcp';
    const rule = { client: 'mcp-server', resource: 'https://mcp.example.com/mcp' };
    const policy = { clients: [{ ...rule, resources: [{ resource, scopes: ['mcp:tools'] }] }] };
    const asked = { ...settingsIn(settings), RESOURCES: `https://mcp.example.com,${resource}` };
    const withPolicy = (line: string) => {
      const { 'auth-server': env } = started(line, asked);
      write('policies/exchange.json', JSON.stringify(policy));
      return () => readAuthServer(env, kinds).exchangePolicy;
    };
    expect(withPolicy(commands)).toThrow(`${resource} is not in RESOURCES`);
    expect(withPolicy(commands.replace(' up -d', ' -f own.yml up -d'))()).toMatchObject([
      { resources: [{ resource }] },
    ]);
  });

  it('upstreams that need a URL reach mcp-server by the one variable UPSTREAMS, as the page shows it', () => {
    const page = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
    const shown = [...page.matchAll(/UPSTREAMS='(\{.*?\})'/g)].map(([, json = '']) => json);
    const [, block = ''] = blocksOf('docs/deployment.md', 'Tools that act for people');
    const [key, up] = ['mcp-server node src/main.ts exchange-key >', 'docker compose -f'].map((part) =>
      block.split('\n').find((line) => line.includes(part)),
    );
    const commands = `${key}\n${up}`;
    const found = shown.map((UPSTREAMS) => readMcpServer(started(commands, { UPSTREAMS })['mcp-server']).upstreams);
    expect(found.map((upstreams) => upstreams.map(({ base }) => base))).toEqual([
      ['https://github.example.com/api/v3', 'https://crm.example.com'],
      ['https://billing.example.com/mcp'],
    ]);
  });

  it('enterprise sign-in needs .env alone, and workloads their rules in the folder of policies.yml', () => {
    const blocks = blocksOf('docs/deployment.md', 'Enterprise sign-in, and workloads');
    const [settings = ''] = blocks.filter(isSettings);
    const [commands = ''] = blocks.filter((block) => block.includes('docker'));
    const [rules = ''] = blocksOf('docs/workload-identity.md', 'GitHub Actions');
    write('policies/workloads.json', rules);
    const okta = blocksOf('docs/enterprise.md', 'What you set here');
    const [clients = '', enterprise = ''] = okta;
    const { CONNECTORS: _, ...acme } = ACME;
    const oktaItself = Object.entries(acme).map(([name, value]) => [name.replace('ACME', 'OKTA'), value]);
    const { CLIENTS = '[]', ...workloads } = settingsIn(settings);
    write('secrets/connectors/clients.json', JSON.stringify([...JSON.parse(clients), ...JSON.parse(CLIENTS)]));
    const { 'auth-server': env } = started(commands, {
      ...Object.fromEntries(oktaItself),
      ...{ CONNECTORS: 'okta', CONNECTOR_OKTA_ISSUER: 'https://acme.okta.com' },
      ...settingsIn(enterprise),
      ...workloads,
      CLIENTS_FILE: '/run/connectors/clients.json',
    });
    const { trustedIssuers } = readAuthServer(env, kinds);
    expect(trustedIssuers.enterprise).toMatchObject([{ issuer: 'https://acme.okta.com' }]);
    expect(trustedIssuers.workload).toMatchObject([{ issuer: 'https://token.actions.githubusercontent.com' }]);
  });
});

describe('the private key of mcp-server', () => {
  /** Commands of npm run here, from the same sources. */
  const NPM = `npm() { while [ "$1" != -- ]; do shift; done; shift
    (export EXCHANGE_KEY_FILE="\${EXCHANGE_KEY_FILE:+$PWD/$EXCHANGE_KEY_FILE}"; cd '${ROOT}mcp-server' && '${process.execPath}' src/main.ts "$@"); }`;
  const [commands = ''] = blocksOf('docs/on-behalf.md', 'A tool that reads my repositories');
  const page = readFileSync(join(ROOT, 'docs/add-a-tool.md'), 'utf8');
  const inline = /`(mkdir [^`]*exchange-key > [^`]*)`/.exec(page)?.[1] ?? '';

  it.each([
    ['docs/on-behalf.md', commands],
    ['docs/add-a-tool.md', inline],
  ])('CWE-732 the commands of %s write it where only their user can read it', (_page, lines) => {
    follow(`umask 022\n${NPM}\n${lines}`);
    const [folder, key] = ['secrets', 'secrets/exchange-key'].map((path) => join(room.folder, path));
    expect(JSON.parse(readFileSync(key ?? '', 'utf8'))).toHaveProperty('d');
    expect([folder, key].map((path) => statSync(path ?? '').mode & 0o077)).toEqual([0, 0]);
  });
});

describe('docs/workload-identity.md', () => {
  it('the lines for each kind of cluster name the client of the rules', () => {
    const blocks = blocksOf('docs/workload-identity.md', 'Kubernetes');
    write('workloads.json', blocks.find((block) => block.startsWith('[')) ?? '');
    const places = [['/etc/mcp-oauth/workloads.json', join(room.folder, 'workloads.json')]] as const;
    const shown = blocks.filter((block) => block.includes('WORKLOAD_ISSUERS='));
    expect(shown).toHaveLength(2);
    for (const block of shown) {
      const env = { RESOURCES: 'https://mcp.example.com', ...placed(settingsIn(block), places) };
      const { clients, trustedIssuers } = readAuthServer(env, kinds);
      const named = trustedIssuers.workload.flatMap(({ rules }) => rules.map(({ client }) => client));
      expect([...new Set(named)]).toEqual(clients.map(({ client_id }) => client_id));
    }
  });
});

describe('docs/kubernetes.md', () => {
  beforeEach((context) => context.skip(!hasKustomize, NEEDS_KUSTOMIZE));

  it('its section makes the key, the client and the policy, with which both services start', () => {
    const overlay = 'deploy/kubernetes/overlays/production';
    cpSync(join(room.folder, 'deploy/kubernetes/overlays/example'), join(room.folder, overlay), { recursive: true });
    for (const name of ['redis-auth-server', 'redis-mcp-server', 'storage-keys', 'connector-acme-client-secret'])
      write(`${overlay}/secrets/${name}`, randomBytes(32).toString('base64'));
    const [commands = '', lines = '', authEnv = '', mcpEnv = ''] = blocksOf(
      'docs/kubernetes.md',
      'Tools that act for people',
    );
    follow(commands);
    const read = (path: string) => readFileSync(join(room.folder, overlay, path), 'utf8');
    write(`${overlay}/kustomization.yaml`, stringify(merged(parse(read('kustomization.yaml')), parse(lines))));
    write(`${overlay}/auth-server.env`, `${read('auth-server.env').replace(/^CONNECTORS=.*\n/m, '')}${authEnv}`);
    write(`${overlay}/mcp-server.env`, read('mcp-server.env') + mcpEnv);
    const manifests = parseManifests(follow(`kubectl kustomize ${overlay}`));
    expect(schemaViolations(manifests)).toEqual([]);
    const environment = (name: string): Environment => {
      const deployment = ofKind(manifests, 'Deployment').find(({ metadata }) => metadata.name === name);
      const { containers = [], volumes = [] } = deployment?.spec?.template.spec ?? {};
      const [container = { name }] = containers;
      for (const { name: volume, secret, configMap } of volumes) {
        const source = secret?.secretName ?? configMap?.name;
        const { data = {} } =
          [...ofKind(manifests, 'Secret'), ...ofKind(manifests, 'ConfigMap')].find(
            ({ metadata }) => metadata.name === source,
          ) ?? {};
        for (const [key, text] of Object.entries(data))
          write(`${name}/${volume}/${key}`, secret ? Buffer.from(text, 'base64').toString() : text);
      }
      const mounts = 'volumeMounts' in container ? (container.volumeMounts ?? []) : [];
      const places = mounts.map(({ name: volume, mountPath }) => [mountPath, join(room.folder, name, volume)] as const);
      return { NODE_ENV: 'production', ...placed(environmentOf(container, manifests), places) };
    };
    expectTools(environment('auth-server'), environment('mcp-server'));
  });
});

/** The lists of a kustomization with further entries: files of a generator that is there, or a new one. */
function merged(whole: Record<string, unknown[]>, more: Record<string, unknown[]>): object {
  const result = { ...whole };
  for (const [key, entries] of Object.entries(more)) {
    result[key] = [...(whole[key] ?? [])];
    for (const entry of entries as { name: string; files?: string[] }[]) {
      const there = (result[key] as (typeof entry)[]).find(({ name }) => name !== undefined && name === entry.name);
      if (there) there.files = [...(there.files ?? []), ...(entry.files ?? [])];
      else result[key]?.push(entry);
    }
  }
  return result;
}
