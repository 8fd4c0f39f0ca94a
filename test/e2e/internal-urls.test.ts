/**
 * Proves that no service needs to reach a public URL: inside a container it may be unreachable, or the container
 * itself. In this test nothing listens at the public URLs.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postJson, REDIRECT_URI } from '../support/oauth-client.ts';
import { type Page, Person } from '../support/person.ts';
import { Run } from '../support/stack.ts';

/** A browser outside, for which public URLs resolve. */
class Outsider extends Person {
  readonly #roads: Readonly<Record<string, string>>;

  constructor(roads: Readonly<Record<string, string>>) {
    super();
    this.#roads = roads;
  }

  override async request(target: string | URL, init?: RequestInit): Promise<Page> {
    const url = new URL(target);
    const page = await super.request(url.href.replace(url.origin, this.#roads[url.origin] ?? ''), init);
    return { ...page, url };
  }
}

const CLIENT = { id: 'job', secret: 'a secret of this test' };

/** The warning about the release of Node.js, which does not depend on the network. */
const OF_THE_MACHINE = /this release of Node\.js has known security vulnerabilities/;

describe('RFC 8414 §3 a public origin that the services cannot reach', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-e2e-'));
  let runs: Run[] = [];
  let at: Readonly<Record<'issuer' | 'auth' | 'withKeysUrl' | 'withIssuerUrl', string>> & {
    readonly roads: Record<string, string>;
  };

  beforeAll(async () => {
    const [nobody, nobodyElse, auth, first, second, idp] = await freePorts(6);
    const local = (port: number | undefined) => `http://127.0.0.1:${port}`;
    const issuer = `http://localhost:${nobody}`;
    const idpUrl = `http://localhost:${nobodyElse}`;
    const roads = { [issuer]: local(auth), [idpUrl]: local(idp) };
    at = { issuer, auth: local(auth), withKeysUrl: local(first), withIssuerUrl: local(second), roads };
    const env = { ISSUER: issuer, PUBLIC_URL: issuer, DEVELOPMENT_IDP_URL: idpUrl };
    const metadataUrl = `${local(first)}/.well-known/oauth-protected-resource/mcp`;
    const client = { client_id: CLIENT.id, client_secret: CLIENT.secret, grant_types: ['client_credentials'] };
    const authServer = {
      PORT: String(auth),
      DATA_DIR: dataDir,
      RESOURCES: JSON.stringify([{ url: issuer, metadataUrl }]),
      CLIENTS: JSON.stringify([{ ...client, redirect_uris: [], scope: 'mcp:tools' }]),
      CONNECTOR_DEVELOPMENT_INTERNAL_URL: local(idp),
    };
    runs = [
      new Run({ ...env, ...authServer }, 'auth-server/src/main.ts'),
      new Run({ ...env, PORT: String(first), JWKS_URL: `${local(auth)}/jwks` }, 'mcp-server/src/main.ts'),
      new Run({ ...env, PORT: String(second), ISSUER_INTERNAL_URL: local(auth) }, 'mcp-server/src/main.ts'),
      new Run({ ...env, PORT: String(idp) }, 'development-idp/src/main.ts'),
    ];
    await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  const token = async (): Promise<string> => {
    const response = await fetch(`${at.auth}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret)}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${at.issuer}/mcp`, scope: 'mcp:tools' }),
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { access_token: string }).access_token;
  };

  it.each(['withKeysUrl', 'withIssuerUrl'] as const)('RFC 9068 §4 tokens are verified %s', async (which) => {
    const response = await fetch(`${at[which]}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await token()}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } } }),
    }); // biome-ignore format: one row
    expect(response.status).toBe(200);
  });

  it('OpenID Connect Core §3.1 a sign-in shows the browser public URLs only, and the issuer is public', async () => {
    const registered = await postJson(`${at.auth}/register`, { redirect_uris: [REDIRECT_URI], client_name: 'Test' });
    const url = new URL('/authorize', at.issuer);
    url.search = new URLSearchParams({
      client_id: String(registered.json.client_id),
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update('verifier').digest('base64url'),
      code_challenge_method: 'S256',
      resource: `${at.issuer}/mcp`,
      scope: 'mcp:tools',
    }).toString();
    const answer = await new Outsider(at.roads).signIn(url, REDIRECT_URI);
    expect(answer.searchParams.get('iss')).toBe(at.issuer);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it('the services log no warning about unreachable URLs', () => {
    for (const { output } of runs) {
      const warnings = output
        .split('\n')
        .filter((line) => /"level":"(warn|error|fatal)"/.test(line) && !OF_THE_MACHINE.test(line));
      expect(warnings).toEqual([]);
    }
  });
});
