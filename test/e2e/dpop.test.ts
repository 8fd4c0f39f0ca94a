/**
 * Proves DPoP from the sign-in to the tool (RFC 9449): openid-client with a key of its own, auth-server that binds the
 * tokens to it, and two replicas of mcp-server that share used proofs on Redis and alternate per request.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import * as v2 from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialize, postJson, REDIRECT_URI } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { roundRobin } from '../support/round-robin.ts';
import { Run } from '../support/stack.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-dpop-'));
const runs: Run[] = [];
const ports: number[] = [];
let redis: TestRedis;
let balancer: TestServer;
let issuer: string;
let mcp: string;

beforeAll(async () => {
  if (!hasRedis) return;
  [redis, balancer] = [await startRedis(), await roundRobin(ports)];
  const [first = 0, second = 0, authPort, idpPort] = await freePorts(4);
  ports.push(first, second);
  [issuer, mcp] = [`http://localhost:${authPort}`, balancer.url.replace('127.0.0.1', 'localhost')];
  const env = {
    ISSUER: issuer,
    PUBLIC_URL: mcp,
    DEVELOPMENT_IDP_URL: `http://localhost:${idpPort}`,
    DATA_DIR: dataDir,
    RESOURCES: JSON.stringify([{ url: mcp }]),
  };
  const replica = { ...env, REDIS_URL: redis.url };
  runs.push(
    new Run(env, 'development-idp/src/main.ts'),
    ...ports.map((port) => new Run({ ...replica, PORT: String(port) }, 'mcp-server/src/main.ts')),
    new Run(env, 'auth-server/src/main.ts'),
  );
  await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
});
afterAll(async () => {
  await Promise.all(runs.map((run) => run.stop()));
  await balancer?.close();
  await redis?.[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

/** A client that has signed in with its key and sends a proof with each request. */
async function signedIn() {
  const metadata = {
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  };
  const config = await oidc.dynamicClientRegistration(new URL(issuer), metadata, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
  const keys = await oidc.randomDPoPKeyPair('ES256');
  const DPoP = oidc.getDPoPHandle(config, keys);
  const verifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    resource: `${mcp}/mcp`,
    scope: 'mcp:tools',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const answer = await new Person().signIn(url, REDIRECT_URI);
  const checks = { pkceCodeVerifier: verifier };
  const tokens = await oidc.authorizationCodeGrant(config, answer, checks, {}, { DPoP });
  const sent: Headers[] = [];
  config[oidc.customFetch] = (to, init) => {
    sent.push(new Headers(init.headers));
    return fetch(to, init as RequestInit);
  };
  const send = (to: string | URL, init: RequestInit = {}): Promise<Response> =>
    oidc.fetchProtectedResource(
      config,
      tokens.access_token,
      new URL(to),
      init.method ?? 'GET',
      init.body as string,
      new Headers(init.headers),
      { DPoP },
    );
  return { keys, tokens, send, sent };
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const whoami = { name: 'whoami', arguments: {} };

describe('RFC 9449 DPoP from the sign-in to the tool', () => {
  it('§5 the token is bound to the key, §7 and valid only with a proof of that key', async () => {
    const { keys, tokens, send } = await signedIn();
    expect(tokens.token_type).toBe('dpop');
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    expect(decodeJwt(tokens.access_token)).toMatchObject({ cnf: { jkt } });
    const body = JSON.stringify(initialize());
    expect((await send(`${mcp}/mcp`, { method: 'POST', body, headers: json })).status).toBe(200);
    const stolen = await postJson(`${mcp}/mcp`, initialize(), { authorization: `Bearer ${tokens.access_token}` });
    expect(stolen.status).toBe(401);
    expect(stolen.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token".*, DPoP .*algs="ES256 /);
  });

  it('§11.1 a replayed proof is refused, at the replica that has seen it and at the other', async () => {
    const { send, sent } = await signedIn();
    const body = JSON.stringify(initialize());
    expect((await send(`${mcp}/mcp`, { method: 'POST', body, headers: json })).status).toBe(200);
    const headers = Object.fromEntries(sent[0] ?? []);
    for (const port of ports) {
      const again = await postJson(`http://localhost:${port}/mcp`, initialize(), headers);
      expect(again.status).toBe(401);
      expect(again.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"');
    }
    // The log arrives in chunks.
    await Promise.all(runs.slice(1, 3).map((replica) => replica.says('"reason":"proof_used_twice"')));
    for (const secret of [headers.dpop, headers.authorization?.slice(5)]) {
      for (const { output } of runs) expect(output).not.toContain(secret);
    }
  });

  it.each([
    ['SDK v1, Streamable HTTP', '/mcp', StreamableHTTPClientTransport],
    ['SDK v1, HTTP+SSE', '/sse', SSEClientTransport],
  ])('%s calls a tool, with a proof for each request', async (_, path, Transport) => {
    const { send, tokens } = await signedIn();
    const client = new Client({ name: 'bound', version: '1' });
    const transport = new Transport(new URL(mcp + path), { fetch: send });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    expect(JSON.stringify(await client.callTool(whoami))).toContain(String(decodeJwt(tokens.access_token).sub));
    await client.close();
  });

  it('SDK v2 calls a tool, with a proof for each request', async () => {
    const { send, tokens } = await signedIn();
    const client = new v2.Client({ name: 'bound', version: '2' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new v2.StreamableHTTPClientTransport(new URL(`${mcp}/mcp`), { fetch: send }));
    expect(JSON.stringify(await client.callTool(whoami))).toContain(String(decodeJwt(tokens.access_token).sub));
    await client.close();
  });
});

describe('an outage of Redis', () => {
  it('a proof is answered with 503 and Retry-After while Redis is down, and accepted afterwards', async () => {
    const { send } = await signedIn();
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const attempt = () => send(`${mcp}/mcp`, { method: 'POST', body, headers: json });
    // Without a session this is a bad request, which shows that the proof was accepted.
    expect((await attempt()).status).toBe(400);
    await redis.kill();
    const response = await attempt();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    await redis.start();
    await expect.poll(async () => (await attempt()).status, { timeout: 30_000, interval: 200 }).toBe(400);
  });
});
