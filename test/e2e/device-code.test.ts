/**
 * Proves a sign-in with a device code and a client secret at an issuer that is not ours, oidc-provider with its own pages: the terminal
 * client as a process, mcp-server as another, and a person who follows the links and sends the forms.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Person } from '../support/person.ts';
import { ResourceServer } from '../support/resource-server.ts';
import { runTerminalClient } from '../support/terminal-client.ts';

const SECRET = 'a/secret+of:the=terminal';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

let issuer: TestServer;
let provider: Provider;
let server: ResourceServer;
const config = mkdtempSync(join(tmpdir(), 'mcp-client-'));

beforeAll(async () => {
  issuer = await serve((req, res) => provider.callback()(req, res));
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  provider = new Provider(issuer.url, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    clients: [
      {
        client_id: 'terminal',
        client_secret: SECRET,
        grant_types: [DEVICE, 'refresh_token'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['mcp:tools'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    issueRefreshToken: () => true,
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'mcp:tools',
          audience: resource,
          accessTokenFormat: 'jwt',
        }),
      },
    },
  });
  server = await ResourceServer.start({ ISSUER: issuer.url });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await issuer?.close();
  rmSync(config, { recursive: true, force: true });
});

const client = (args: readonly string[], env: NodeJS.ProcessEnv, onError?: (text: string) => void) =>
  runTerminalClient([`${server.url}/mcp`, ...args], { env: { XDG_CONFIG_HOME: config, ...env }, onError });

/** Sends the only form of each page as it is, with a name where one is asked for. */
async function agree(url: string): Promise<string> {
  const person = new Person();
  for (let page = await person.open(url, 'none:'), sent = 0; ; sent += 1) {
    if (page instanceof URL || sent > 5) throw new Error(`the pages of the issuer have no end: ${url}`);
    const [, action] = /<form[^>]*action="([^"]+)"/.exec(page.body) ?? [];
    if (action === undefined) return page.body;
    const inputs = [...page.body.matchAll(/<input[^>]*name="([^"]+)"(?:[^>]*value="([^"]*)")?/g)];
    const body = new URLSearchParams(inputs.map(([, name = '', value = 'alice']) => [name, value] as [string, string]));
    page = await person.open(new URL(action, page.url), 'none:', { method: 'POST', body });
  }
}

it('RFC 8628 §3.3 and RFC 6749 §2.3.1 a confidential client signs in with a code, calls, renews and signs out', async () => {
  const secret = { MCP_CLIENT_SECRET: SECRET };
  let agreed: Promise<string> | undefined;
  const login = await client(['login', '--device', '--client-id', 'terminal'], secret, (text) => {
    const [, url] = /^Or: (\S+)\n/m.exec(text) ?? [];
    if (url) agreed ??= agree(url);
  });
  expect(await agreed).toContain('Sign-in Success');
  expect(login).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`Signed in by ${issuer.url}, for mcp:tools.`),
  });
  const [name = ''] = readdirSync(join(config, 'mcp-oauth-client'));
  const path = join(config, 'mcp-oauth-client', name);
  const grant = JSON.parse(readFileSync(path, 'utf8'));

  const whoami = ['call', 'whoami', '--json'];
  const first = await client(whoami, {});
  expect(JSON.parse(first.stdout)).toMatchObject({ structuredContent: { subject: 'alice', client: 'terminal' } });

  // A token that mcp-server does not accept: it is renewed, for which the secret is needed.
  const spoilt = { ...grant, tokens: { ...grant.tokens, access_token: `${grant.tokens.access_token}x` } };
  writeFileSync(path, JSON.stringify(spoilt));
  const without = await client(whoami, {});
  expect(without).toMatchObject({ status: 1, stderr: expect.stringContaining('MCP_CLIENT_SECRET is not set') });
  const renewed = await client(whoami, secret);
  expect(JSON.parse(renewed.stdout)).toMatchObject({ structuredContent: { subject: 'alice' } });

  const kept = readFileSync(path, 'utf8');
  expect(JSON.stringify([kept, login, first, without, renewed])).not.toContain(SECRET);
  const { tokens } = JSON.parse(kept);
  expect(tokens.access_token).not.toBe(spoilt.tokens.access_token);
  expect(await client(['logout'], secret)).toMatchObject({
    status: 0,
    stdout: 'Signed out: the tokens are revoked.\n',
  });
  expect(await provider.RefreshToken.find(tokens.refresh_token)).toBeUndefined();
});
