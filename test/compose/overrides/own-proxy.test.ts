/** Proves on a real engine that an operator's own TLS proxy can replace the gateway, with deploy/nginx unchanged. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trustTestCertificate } from '../../../auth-server/test/support/client-host.ts';
import { ClientState } from '../../support/client-state.ts';
import { drivers } from '../../support/drivers.ts';
import { REDIRECT_URI, send } from '../../support/oauth-client.ts';
import { Person } from '../../support/person.ts';
import { Composed } from '../composed.ts';
import { BUILDING, ENDING, filesOf, UP } from './set-up.ts';
import { Visitor } from './visitor.ts';

const { HTTP_PORT = '8080', DEVELOPMENT_IDP_PORT = '9001' } = process.env;

/** A certificate for https://localhost, made for tests. */
const CERTIFICATE = 'auth-server/test/support/certificate';

describe('deploy/compose/own-proxy.yml', () => {
  const url = `https://localhost:${HTTP_PORT}`;
  const network = 'mcp-oauth-own-proxy';
  const composed = new Composed('mcp-oauth-own-proxy', {
    COMPOSE_FILE: filesOf('own-proxy'),
    PROXY_NETWORK: network,
    PUBLIC_URL: url,
  });
  const nginx = 'mcp-oauth-own-proxy-nginx';

  beforeAll(async () => {
    trustTestCertificate();
    // The sign-in of the development IdP, which production does not have.
    const idp = `server { listen 9001; location / { set $idp development-idp:9001; proxy_pass http://$idp; proxy_set_header Host $http_host; } }`;
    writeFileSync(join(composed.folder, 'idp.conf'), idp);
    await composed.sh('docker network create "$PROXY_NETWORK"');
    await composed.sh(`${UP} --scale mcp-server=2 --scale auth-server=2`);
    const mounts = {
      '/etc/nginx/conf.d/default.conf': 'deploy/nginx/mcp.conf',
      '/etc/nginx/conf.d/idp.conf': 'idp.conf',
      '/etc/nginx/tls/certificate.pem': `${CERTIFICATE}/certificate.pem`,
      '/etc/nginx/tls/key.pem': `${CERTIFICATE}/key.pem`,
    };
    const volumes = Object.entries(mounts).flatMap(([to, from]) => ['-v', `${join(composed.folder, from)}:${to}:ro`]);
    const ports = ['-p', `127.0.0.1:${HTTP_PORT}:443`, '-p', `127.0.0.1:${DEVELOPMENT_IDP_PORT}:9001`];
    await composed.docker('run', '-d', '--name', nginx, '--network', network, ...ports, ...volumes, 'nginx:1.26');
  }, BUILDING);
  afterAll(async () => {
    await composed.docker('rm', '--force', nginx);
    await composed.sh('docker compose down --timeout 5 && docker network rm "$PROXY_NETWORK"');
    await composed[Symbol.asyncDispose]();
  }, ENDING);

  it('own-proxy.yml starts no gateway and publishes no port', async () => {
    expect(await composed.containers('gateway')).toEqual([]);
    expect(await composed.compose('ps', '--format', '{{.Publishers}}')).not.toContain('127.0.0.1');
  });

  it.each(drivers)('$name through nginx: sign-in and a tool call', async (driver) => {
    const state = new ClientState(REDIRECT_URI);
    const endpoint = new URL(url + driver.path);
    await expect(driver.connect(endpoint, state)).rejects.toSatisfy(driver.isUnauthorized);
    await driver.finish(endpoint, state, await new Person().signIn(state.takeAuthorizationUrl(), REDIRECT_URI));
    const client = await driver.connect(endpoint, state);
    expect(await client.call('whoami', {})).toMatchObject({ isError: false });
    await client.close();
  });

  it("the proxy accepts the common spellings of the MCP server's address", async () => {
    for (const typed of ['/mcp', '/mcp/', '/MCP', '/sse/']) expect((await send(url + typed)).status, typed).toBe(401);
    expect((await send(`${url}/.well-known/oauth-protected-resource/`)).status).toBe(200);
  });

  it('RFC 6797 §7.2 every answer tells browsers to use https', async () => {
    for (const path of ['/', '/mcp', '/jwks', '/livez', '/nothing']) {
      expect((await send(url + path)).headers.get('strict-transport-security'), path).toBe('max-age=31536000');
    }
  });

  it('paths for operators are not reachable through the proxy', async () => {
    for (const path of ['/metrics', '/readyz', '/livez', '/accepting'])
      expect((await send(url + path)).status).toBe(404);
    expect(await composed.docker('logs', nginx)).not.toContain('code=');
  });

  it('no request fails when one of two replicas of each service is killed', async () => {
    const visitor = await Visitor.arrive(url);
    for (const service of ['mcp-server', 'auth-server']) {
      const [container = ''] = await composed.containers(service);
      await composed.docker('kill', container);
      for (let n = 0; n < 5; n += 1) expect(await visitor.works(), service).toBe(true);
    }
  });
});
