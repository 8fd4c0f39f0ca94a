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

describe('deploy/compose/existing-issuer.yml', () => {
  const composed = new Composed('mcp-oauth-existing-issuer', {
    COMPOSE_FILE: filesOf('existing-issuer', './issuer.yml'),
    ISSUER: 'http://issuer.example:9100',
    ISSUER_PRESET: 'keycloak',
    AUDIENCES: 'mcp',
  });
  const token = async (audience: string, typ = 'Bearer'): Promise<string> => {
    const [container = ''] = await composed.containers('issuer');
    const script = `fetch('http://127.0.0.1:9100/token?audience=${audience}&typ=${typ}').then(async (r) => console.log((await r.json()).access_token))`;
    return composed.docker('exec', container, 'node', '-e', script);
  };

  beforeAll(async () => {
    cpSync(fileURLToPath(new URL('./issuer.ts', import.meta.url)), join(composed.folder, 'issuer.ts'));
    writeFileSync(
      join(composed.folder, 'issuer.yml'),
      JSON.stringify({
        services: {
          issuer: {
            image: 'node:24-slim',
            init: true,
            command: ['node', '/issuer.ts'],
            environment: { ISSUER: 'http://issuer.example:9100' },
            volumes: ['./issuer.ts:/issuer.ts:ro'],
            networks: { front: { aliases: ['issuer.example'] } },
          },
        },
      }),
    );
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
