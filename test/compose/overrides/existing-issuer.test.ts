/**
 * Proves on a real engine that mcp-server works with a foreign authorization server by its preset, and that auth-server is then not
 * started.
 */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialize, postJson, send } from '../../support/oauth-client.ts';
import { Composed } from '../composed.ts';
import { BUILDING, ENDING, filesOf, UP } from './set-up.ts';

const callWith = (url: string, token: string) =>
  postJson(`${url}/mcp`, initialize(), { authorization: `Bearer ${token}` });

/** Adds issuers, as containers with these host names, to a project that has the file issuer.yml. */
function addIssuers(composed: Composed, ...hosts: readonly string[]): void {
  cpSync(fileURLToPath(new URL('./issuer.ts', import.meta.url)), join(composed.folder, 'issuer.ts'));
  const services = hosts.map((host) => {
    const service = {
      image: 'node:24-slim',
      init: true,
      command: ['node', '/issuer.ts'],
      environment: { ISSUER: `http://${host}:9100` },
      volumes: ['./issuer.ts:/issuer.ts:ro'],
      networks: { front: { aliases: [host] } },
    };
    return [host.split('.')[0], service];
  });
  writeFileSync(join(composed.folder, 'issuer.yml'), JSON.stringify({ services: Object.fromEntries(services) }));
}

async function tokenOf(composed: Composed, service: string, audience: string, typ = 'Bearer'): Promise<string> {
  const [container = ''] = await composed.containers(service);
  const script = `fetch('http://127.0.0.1:9100/token?audience=${audience}&typ=${typ}').then(async (r) => console.log((await r.json()).access_token))`;
  return composed.docker('exec', container, 'node', '-e', script);
}

describe('deploy/compose/existing-issuer.yml with ISSUER', () => {
  const composed = new Composed('mcp-oauth-existing-issuer', {
    COMPOSE_FILE: filesOf('existing-issuer', './issuer.yml'),
    ISSUER: 'http://issuer.example:9100',
    ISSUER_PRESET: 'keycloak',
    AUDIENCES: 'mcp',
  });
  const token = (audience: string, typ?: string) => tokenOf(composed, 'issuer', audience, typ);

  beforeAll(async () => {
    addIssuers(composed, 'issuer.example');
    await composed.sh(`${UP} --scale mcp-server=2`);
  }, BUILDING);
  afterAll(() => composed[Symbol.asyncDispose](), ENDING);

  it('existing-issuer.yml starts neither auth-server nor the development IdP', async () => {
    expect(await composed.compose('ps', '--services')).not.toMatch(/auth-server|development-idp/);
  });

  it('mcp-server accepts the access tokens of the existing issuer for its own audience, by the preset, and no others', async () => {
    expect((await callWith(composed.url, await token('mcp'))).status).toBe(200);
    expect((await callWith(composed.url, await token('another'))).status).toBe(401);
    expect((await callWith(composed.url, await token('mcp', 'ID'))).status).toBe(401);
    expect((await callWith(composed.url, 'none')).status).toBe(401);
  });

  it("clients find the issuer by mcp-server's metadata, and those of 2025-03-26 by the issuer's", async () => {
    const { json: resource } = await send(`${composed.url}/.well-known/oauth-protected-resource/mcp`);
    expect(resource.authorization_servers).toEqual(['http://issuer.example:9100']);
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration/mcp']) {
      expect((await send(composed.url + path)).json, path).toMatchObject({ issuer: 'http://issuer.example:9100' });
    }
    const { headers } = await send(`${composed.url}/authorize?client_id=a`);
    expect(headers.get('location')).toBe('http://issuer.example:9100/auth?client_id=a');
  });

  it('tokens are accepted while the issuer and one of two replicas are down', async () => {
    const known = await token('mcp');
    expect((await callWith(composed.url, known)).status).toBe(200);
    const [issuer = ''] = await composed.containers('issuer');
    const [replica = ''] = await composed.containers('mcp-server');
    await composed.docker('kill', issuer, replica);
    for (let n = 0; n < 10; n += 1) expect((await callWith(composed.url, known)).status).toBe(200);
  });
});

describe('deploy/compose/existing-issuer.yml with ISSUERS', () => {
  const [corp, machines] = ['http://corp.example:9100', 'http://machines.example:9100'];
  const composed = new Composed('mcp-oauth-existing-issuers', {
    COMPOSE_FILE: filesOf('existing-issuer', './issuer.yml'),
    ISSUERS: JSON.stringify({
      corp: { URL: corp, PRESET: 'keycloak', AUDIENCES: 'mcp' },
      machines: { URL: machines, PRESET: 'keycloak', AUDIENCES: ['jobs'], ANNOUNCED: false },
    }),
  });

  beforeAll(async () => {
    addIssuers(composed, 'corp.example', 'machines.example');
    await composed.sh(UP);
  }, BUILDING);
  afterAll(() => composed[Symbol.asyncDispose](), ENDING);

  it('without ISSUER mcp-server accepts the tokens of each of ISSUERS by its own settings', async () => {
    for (const [service, own, other] of [
      ['corp', 'mcp', 'jobs'],
      ['machines', 'jobs', 'mcp'],
    ] as const) {
      expect((await callWith(composed.url, await tokenOf(composed, service, own))).status, service).toBe(200);
      expect((await callWith(composed.url, await tokenOf(composed, service, other))).status, service).toBe(401);
    }
  });

  it('RFC 9728 §2 clients are told about the issuer that is announced, and of no auth-server', async () => {
    const { json } = await send(`${composed.url}/.well-known/oauth-protected-resource/mcp`);
    expect(json.authorization_servers).toEqual([corp]);
  });

  it('without ISSUER and ISSUERS docker compose says so, and starts and stops nothing', async () => {
    const before = await composed.containers();
    const refused = await composed.attempt('ISSUERS= docker compose up -d 2>&1');
    expect([refused.code === 0, refused.said]).toEqual([false, expect.stringMatching(/set ISSUER .* or ISSUERS/)]);
    expect(await composed.containers()).toEqual(before);
  });
});
