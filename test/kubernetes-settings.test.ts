/** Proves that every setting in deploy/kubernetes is known to the services, and that production accepts it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectorAccessSettings } from '../auth-server/src/access/settings.ts';
import { settings as authServer, readConfig as readAuthServer } from '../auth-server/src/config.ts';
import { discoverKinds } from '../auth-server/src/federation/registry.ts';
import { appleKey } from '../auth-server/test/support/vendors.ts';
import { settings as mcpServer, readConfig as readMcpServer } from '../mcp-server/src/config.ts';
import { CONTAINER, NODE_OPTIONS } from './abuse/watched.ts';
import { environmentOf } from './kubernetes/environment.ts';
import { hasKustomize, type Manifest, NEEDS_KUSTOMIZE, ofKind, render } from './kubernetes/manifest.ts';
import { OVERLAYS, secretsOf } from './kubernetes/overlays.ts';
import { connectorsOn, documentedIssuers } from './support/documented-settings.ts';

const SECRETS = '/run/secrets/';
/** The settings of the image. */
const IMAGE = { NODE_ENV: 'production', HOST: '0.0.0.0' };

const kinds = await discoverKinds(new URL('../auth-server/src/connectors/', import.meta.url));
const declared = (settings: object): readonly string[] =>
  Object.values(settings).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : env));
const ofConnectors = [
  'TYPE',
  'NAME',
  ...declared(connectorAccessSettings),
  ...[...kinds.values()].flatMap(({ settings }) => declared(settings)),
].map((name) => `CONNECTOR_ACME_${name}`);
/** A setting of Node: the maximum size of its heap. */
const NODES_OWN = 'NODE_OPTIONS';
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'mcp-server': [...declared(mcpServer), NODES_OWN],
  'auth-server': [...declared(authServer), ...ofConnectors, NODES_OWN],
};

/** A setting of one of several issuers, with its id. */
const OF_AN_ISSUER = /^ISSUER_(?:CORP|CI)_/;

const rendered = (overlay: string) => render(`overlays/${overlay}`, secretsOf(overlay));
const containers = (manifests: readonly Manifest[]) =>
  ofKind(manifests, 'Deployment').flatMap(({ spec }) => spec?.template.spec?.containers ?? []);

const room = { folder: '' };
beforeEach((context) => {
  context.skip(!hasKustomize, NEEDS_KUSTOMIZE);
  room.folder = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterEach(() => {
  if (room.folder) rmSync(room.folder, { recursive: true });
});

/** The environment of the container, with its secrets in a folder of the test. */
function startOf({ name, ...container }: Container, manifests: readonly Manifest[]) {
  const secret = ofKind(manifests, 'Secret').find(({ metadata }) => metadata.name.startsWith(`${name}-`));
  for (const [key, value] of Object.entries(secret?.data ?? {})) {
    writeFileSync(join(room.folder, key), Buffer.from(value, 'base64'));
  }
  const env = { ...IMAGE, ...environmentOf({ name, ...container }, manifests) };
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [key, value.replace(SECRETS, `${room.folder}/`)]),
  );
}

describe.each(OVERLAYS)('overlays/%s', (overlay) => {
  it('the overlay sets only variables that the service declares', () => {
    const manifests = rendered(overlay);
    for (const container of containers(manifests)) {
      for (const variable of Object.keys(environmentOf(container, manifests))) {
        expect(KNOWN[container.name], container.name).toContain(variable);
      }
    }
  });

  it('each variable that the overlay has in a comment is one that the service declares', () => {
    for (const name of Object.keys(KNOWN)) {
      const path = new URL(`../deploy/kubernetes/overlays/${overlay}/${name}.env`, import.meta.url);
      if (!existsSync(path)) continue;
      const offered = [...readFileSync(path, 'utf8').matchAll(/^#([A-Z_]+)=/gm)].map(([, variable = '']) => variable);
      expect(offered).toContain('AUDIT_KEY_FILE');
      for (const variable of offered) if (!OF_AN_ISSUER.test(variable)) expect(KNOWN[name]).toContain(variable);
    }
  });

  it("the overlay gives Node the heap size with which the service's memory was measured (test/abuse)", () => {
    const manifests = rendered(overlay);
    for (const container of containers(manifests)) {
      expect(environmentOf(container, manifests)[NODES_OWN]).toBe(NODE_OPTIONS);
      expect(container.resources?.limits?.memory).toBe(`${CONTAINER}Mi`);
    }
  });

  it('the overlay sets each variable in one place: .env does not override a Deployment', () => {
    const manifests = rendered(overlay);
    for (const { name, env = [], envFrom = [] } of containers(manifests)) {
      const own = env.filter(({ valueFrom }) => valueFrom === undefined).map((variable) => variable.name);
      const maps = envFrom.map(({ configMapRef }) => configMapRef?.name);
      const shared = ofKind(manifests, 'ConfigMap').filter(({ metadata }) => maps.includes(metadata.name));
      const said = shared.flatMap(({ data }) => Object.keys(data ?? {}));
      expect(
        said.filter((variable) => own.includes(variable)),
        name,
      ).toEqual([]);
    }
  });

  it('every secret is in a file: no ConfigMap and no variable contains one', () => {
    const manifests = rendered(overlay);
    const secrets = ofKind(manifests, 'Secret').flatMap(({ data = {} }) => Object.values(data));
    expect(secrets.length).toBeGreaterThan(0);
    const rest = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'));
    for (const secret of secrets) {
      expect(rest).not.toContain(secret);
      expect(rest).not.toContain(Buffer.from(secret, 'base64').toString().trim());
    }
    for (const { env = [], envFrom = [] } of containers(manifests)) {
      expect(env.some(({ valueFrom }) => valueFrom?.secretKeyRef)).toBe(false);
      expect(envFrom.some(({ secretRef }) => secretRef)).toBe(false);
    }
  });

  it('mcp-server starts in production, for the issuer of its tokens', () => {
    const manifests = rendered(overlay);
    const [container] = containers(manifests).filter(({ name }) => name === 'mcp-server');
    const config = readMcpServer(startOf(container as Container, manifests));
    const issuer = overlay === 'existing-issuer' ? 'https://id.example.com/realms/staff' : 'https://mcp.example.com';
    expect(config).toMatchObject({ publicUrl: 'https://mcp.example.com', port: 8080, issuer });
    expect(config.issuerInternalUrl).toBe(overlay === 'existing-issuer' ? undefined : 'http://auth-server:9000');
    expect(config.issuers[0]?.rules[0]?.audiences).toContain('https://mcp.example.com/mcp');
  });

  it('every service has a Redis, with its own password', () => {
    const manifests = rendered(overlay);
    for (const container of containers(manifests)) {
      const { REDIS_URL = '', REDIS_PASSWORD_FILE = '' } = startOf(container, manifests);
      const own = container.name === 'auth-server' ? 'redis-authorization' : 'redis';
      if (overlay === 'trial') expect(REDIS_URL).toBe(`redis://${container.name}@${own}:6379`);
      else expect(REDIS_URL).toMatch(/^rediss:\/\/[\w-]+@/);
      expect(new URL(REDIS_URL).username).toBe(container.name);
      expect(REDIS_PASSWORD_FILE).toBe(join(room.folder, 'redis-password'));
    }
  });
});

describe('overlays/existing-issuer', () => {
  it.each(documentedIssuers())('%s: the overlay changes nothing of the settings of its section', (_, env) => {
    const manifests = rendered('existing-issuer');
    const [container] = containers(manifests).filter(({ name }) => name === 'mcp-server');
    const { issuers, baseScope } = readMcpServer({ ...startOf(container as Container, manifests), ...env });
    const alone = readMcpServer({ ...IMAGE, PUBLIC_URL: 'https://mcp.example.com', ...env });
    expect(JSON.stringify(issuers)).toBe(JSON.stringify(alone.issuers));
    expect(baseScope).toBe(alone.baseScope);
  });

  const withEnv = (change: (env: string) => string) => {
    const file = 'existing-issuer/mcp-server.env';
    const written = readFileSync(new URL(`../deploy/kubernetes/overlays/${file}`, import.meta.url), 'utf8');
    const manifests = render('overlays/existing-issuer', {
      ...secretsOf('existing-issuer'),
      [file]: change(written.replace(/^ISSUER=.*\n/m, '')),
    });
    const [container] = containers(manifests).filter(({ name }) => name === 'mcp-server');
    return () => readMcpServer(startOf(container as Container, manifests));
  };

  it('mcp-server starts with the several issuers that mcp-server.env shows, without ISSUER', () => {
    const { issuers } = withEnv((env) => env.replace(/^#(?=ISSUER(S|_CORP|_CI))/gm, ''))();
    expect(issuers.map(({ id }) => id)).toEqual(['corp', 'ci']);
  });

  it('mcp-server does not start without ISSUER and ISSUERS, and names both', () => {
    expect(withEnv((env) => env)).toThrow(/^ISSUER: is not set.*ISSUERS/);
  });
});

describe.each(['example', 'trial'])('overlays/%s', (overlay) => {
  it('auth-server starts in production, for the one MCP server', () => {
    const manifests = rendered(overlay);
    const [container] = containers(manifests).filter(({ name }) => name === 'auth-server');
    const config = readAuthServer(startOf(container as Container, manifests), kinds);
    expect(config).toMatchObject({ issuer: 'https://mcp.example.com', port: 9000 });
    expect(config.resources).toMatchObject([
      {
        audience: 'https://mcp.example.com/mcp',
        metadataUrl: 'http://mcp-server:8080/.well-known/oauth-protected-resource/mcp',
      },
    ]);
    expect(config.signIn.map(({ id }) => id)).toEqual(['acme']);
    expect(config.trustedProxies.check('10.0.0.1')).toBe(true);
  });

  it('auth-server starts with each identity provider of docs/identity-providers.md, and mcp:admin is for nobody', () => {
    const manifests = rendered(overlay);
    const [container] = containers(manifests).filter(({ name }) => name === 'auth-server');
    const env = startOf(container as Container, manifests);
    const others = Object.entries(env).filter(([name]) => !name.startsWith('CONNECTOR'));
    for (const provider of connectorsOn('docs/identity-providers.md')) {
      const apple = { CONNECTOR_APPLE_PRIVATE_KEY: provider.CONNECTORS === 'apple' ? appleKey.pem : '' };
      const config = readAuthServer({ ...Object.fromEntries(others), ...provider, ...apple }, kinds);
      expect(config.signIn).toHaveLength(1);
      expect(config.scopeRules).toEqual([]);
    }
  });
});
