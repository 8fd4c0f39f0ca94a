/**
 * Proves opaque tokens with an issuer that is not ours, oidc-provider: the SDKs get one and call a tool, its introspection endpoint is
 * asked with a signature and without, and a token that is revoked there ends here.
 */
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Service } from '@mcp-oauth/shared/service';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import * as v2 from '@modelcontextprotocol/client';
import * as v1auth from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { decodeProtectedHeader, exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../mcp-server/src/compose/compose.ts';
import { bearer } from '../../mcp-server/test/support/http-harness.ts';

const SECRET = 'a-secret-of-the-nightly-job';
const JOB = { clientId: 'job', clientSecret: SECRET };
const JWT = 'application/token-introspection+jwt';

const client = await generateKeyPair('ES256', { extractable: true });
const pem = await exportPKCS8(client.privateKey);
const jwk = await exportJWK(client.privateKey);
/** What the issuer calls the key. */
const KID = 'a name at the issuer';

let issuer: TestServer;
let provider: Provider;
/** What the issuer was asked for, and how it answered. */
const questions: { accept: string; type: string; token: string; kid: string | undefined }[] = [];

beforeAll(async () => {
  issuer = await serve((req, res) => provider.callback()(req, res));
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const machine = (client_id: string) => ({
    client_id,
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [] as [],
  });
  provider = new Provider(issuer.url, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    clients: [
      machine('job'),
      machine('tools'),
      {
        ...machine('tools-with-key'),
        client_secret: undefined,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...(await exportJWK(client.publicKey)), alg: 'ES256', kid: KID }] },
      },
    ],
    scopes: ['mcp:tools'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'mcp:tools',
          audience: resource,
          accessTokenFormat: 'opaque',
        }),
      },
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/token/introspection') return;
    const { token = '', client_assertion: assertion } = (ctx as unknown as { oidc: { body: Record<string, string> } })
      .oidc.body;
    const kid = assertion === undefined ? undefined : decodeProtectedHeader(assertion).kid;
    questions.push({ accept: ctx.get('accept'), type: ctx.type, token, kid });
  });
});
afterAll(() => issuer?.close());

async function withServer(settings: Readonly<Record<string, string>>, use: (url: string) => Promise<void>) {
  questions.length = 0;
  let service: Service | undefined;
  await using server = await serve((req, res) => service?.handler(req, res));
  const env = {
    PUBLIC_URL: server.url,
    NODE_ENV: 'test',
    ISSUER: issuer.url,
    TOKEN_SUBJECT_CLAIMS: 'sub,client_id',
    INTROSPECTION_CLIENT_ID: 'tools',
    INTROSPECTION_CLIENT_SECRET: SECRET,
    INTROSPECTION_CACHE: '0s',
    ...settings,
  };
  service = await compose(env, { log: createLogger('test', 'error', { write: () => {} }) });
  try {
    await use(server.url);
  } finally {
    service.drain();
    await service.close();
  }
}

const DISCOVERED = () => ({ INTROSPECTION: 'on' });
const BY_KEY = () => ({
  INTROSPECTION: 'on',
  INTROSPECTION_CLIENT_ID: 'tools-with-key',
  INTROSPECTION_CLIENT_AUTH: 'private_key_jwt',
  INTROSPECTION_CLIENT_KEY: pem,
});
const NAMED = () => ({ INTROSPECTION_URL: `${issuer.url}/token/introspection` });
const whoami = { name: 'whoami', arguments: {} };

async function post(path: string, form: Readonly<Record<string, string>>): Promise<Response> {
  const headers = { authorization: `Basic ${btoa(`job:${SECRET}`)}` };
  return fetch(`${issuer.url}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
}

describe('RFC 7662 opaque tokens of oidc-provider', () => {
  it.each([
    ['as its metadata announces (RFC 9701), signed', DISCOVERED, JWT],
    ['at INTROSPECTION_URL, as JSON', NAMED, 'application/json'],
  ])('SDK v2 gets a token and calls a tool; the answers are %s', async (_how, settings, type) => {
    await withServer(settings(), async (url) => {
      const authProvider = new v2.ClientCredentialsProvider({ ...JOB, scope: 'mcp:tools', expectedIssuer: issuer.url });
      const client = new v2.Client({ name: 'job', version: '1.0.0' });
      await client.connect(new v2.StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider }));
      expect(JSON.stringify(await client.callTool(whoami))).toContain('"subject":"job"');
      await client.close();
      expect(questions.length).toBeGreaterThan(0);
      expect(new Set(questions.map((question) => question.type))).toEqual(new Set([type]));
      expect(authProvider.tokens()?.access_token).toBe(questions[0]?.token);
    });
  });

  it('SDK v1 gets a token and calls a tool', async () => {
    await withServer(DISCOVERED(), async (url) => {
      const authProvider = new v1auth.ClientCredentialsProvider({
        ...JOB,
        scope: 'mcp:tools',
        expectedIssuer: issuer.url,
      });
      const client = new Client({ name: 'job', version: '1.0.0' });
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider }));
      expect(JSON.stringify(await client.callTool(whoami))).toContain('"subject":"job"');
      await client.close();
    });
  });

  it.each([
    ['signed', DISCOVERED],
    ['JSON', NAMED],
    ['signed, and asked for with a key (RFC 7523)', BY_KEY],
  ])(
    'RFC 7009 a token that is revoked, for another server or made up is refused; the answers are %s',
    async (_how, settings) => {
      await withServer(settings(), async (url) => {
        const tokenFor = async (resource: string): Promise<string> => {
          const answer = await post('/token', { grant_type: 'client_credentials', scope: 'mcp:tools', resource });
          return ((await answer.json()) as { access_token: string }).access_token;
        };
        const statusOf = async (token: string) => (await fetch(`${url}/mcp`, { headers: bearer(token) })).status;
        const token = await tokenFor(`${url}/mcp`);
        const refused = 401;
        expect(await statusOf(token)).not.toBe(refused);
        expect(await statusOf(await tokenFor('https://other.example/mcp'))).toBe(refused);
        expect(await statusOf('made-up')).toBe(refused);
        expect((await post('/token/revocation', { token })).status).toBe(200);
        expect(await statusOf(token)).toBe(refused);
        expect(questions).toHaveLength(4);
      });
    },
  );

  it.each([
    ['in PEM, which has no name: none is sent', pem, undefined],
    ['as a JWK without a name: none is sent', JSON.stringify(jwk), undefined],
    ['as a JWK with the name at the issuer, which is sent', JSON.stringify({ ...jwk, kid: KID }), KID],
  ])('RFC 7515 §4.1.4 a key %s, and the issuer answers', async (_, key, kid) => {
    await withServer({ ...BY_KEY(), INTROSPECTION_CLIENT_KEY: key }, async (url) => {
      expect((await fetch(`${url}/mcp`, { headers: bearer('made-up') })).status).toBe(401);
      expect(questions.map((question) => question.kid)).toEqual([kid]);
    });
  });

  it('RFC 7515 §4.1.4 a name that the issuer does not know fails: it looks for the key by its name', async () => {
    const key = JSON.stringify({ ...jwk, kid: 'another name' });
    await withServer({ ...BY_KEY(), INTROSPECTION_CLIENT_KEY: key }, async (url) => {
      expect((await fetch(`${url}/mcp`, { headers: bearer('made-up') })).status).toBe(503);
    });
  });
});
