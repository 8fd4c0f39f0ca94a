/**
 * Proves auth-server with independent software: the official conformance runner's `authorization` command, and a
 * certified client (openid-client) as each kind of client in RFC 7591 §2, from discovery to revocation.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { exportJWK, generateKeyPair } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpSession, OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { ROOT, Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('the official conformance runner', () => {
  it('auth-server passes the suite `authorization`: RFC 8414 metadata, and the code grant of OAuth 2.1 §4.1', async () => {
    const [port = 0] = await freePorts(1);
    const callback = `http://127.0.0.1:${port}/callback`;
    const { id } = await OAuthClient.register(stack, { redirect_uris: [callback] });
    const runner = spawn(
      process.execPath,
      ['node_modules/.bin/conformance', 'authorization', '--url', stack.authUrl, '--client-id', id, '-p', String(port)],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const output = await signInWhereAsked(runner, callback);
    expect(runner.exitCode, output).toBe(0);
    expect(output).toContain('2 passed, 0 failed');
  });
});

/**
 * The runner prints the address that a person has to open; it does everything else itself.
 * @returns its output
 */
async function signInWhereAsked(runner: ChildProcess, callback: string): Promise<string> {
  const ended = once(runner, 'close');
  const lines: string[] = [];
  for (const stream of [runner.stdout, runner.stderr]) {
    if (!stream) continue;
    createInterface(stream).on('line', async (line) => {
      lines.push(line);
      const [url] = new RegExp(`${stack.authUrl}/authorize\\S+`).exec(line) ?? [];
      if (url) await fetch(await new Person().signIn(url, callback));
    });
  }
  await ended;
  process.stdout.write(`${lines.join('\n')}\n`);
  return lines.join('\n');
}

interface Kind {
  readonly metadata: Record<string, unknown>;
  readonly authentication: (client: openid.ClientMetadata) => openid.ClientAuth;
}

const signingKey = await generateKeyPair('ES256');
const secretOf = ({ client_secret }: openid.ClientMetadata): string => client_secret ?? '';

const KINDS: Readonly<Record<string, Kind>> = {
  none: { metadata: {}, authentication: () => openid.None() },
  client_secret_basic: { metadata: {}, authentication: (client) => openid.ClientSecretBasic(secretOf(client)) },
  client_secret_post: { metadata: {}, authentication: (client) => openid.ClientSecretPost(secretOf(client)) },
  private_key_jwt: {
    metadata: { jwks: { keys: [{ ...(await exportJWK(signingKey.publicKey)), alg: 'ES256', use: 'sig' }] } },
    authentication: () => openid.PrivateKeyJwt(signingKey.privateKey),
  },
};

describe.each(Object.entries(KINDS))(
  'openid-client as a client of the kind %s',
  (method, { metadata, authentication }) => {
    it('openid-client discovers (RFC 8414), registers (RFC 7591), gets tokens (RFC 7636), refreshes and revokes (RFC 7009)', async () => {
      const plain: openid.DiscoveryRequestOptions = { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' };
      const issuer = new URL(stack.authUrl);
      const registration = {
        client_name: `Client with ${method}`,
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: method,
        grant_types: ['authorization_code', 'refresh_token'],
        ...metadata,
      };
      const registered = await openid.dynamicClientRegistration(issuer, registration, openid.None(), plain);
      const client = registered.clientMetadata();
      const configuration = await openid.discovery(issuer, client.client_id, client, authentication(client), plain);

      const verifier = openid.randomPKCECodeVerifier();
      const state = openid.randomState();
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: REDIRECT_URI,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        resource: `${stack.mcpUrl}/mcp`,
        scope: 'mcp:tools',
        state,
      });
      const answer = await new Person().signIn(url, REDIRECT_URI);
      const checks = { pkceCodeVerifier: verifier, expectedState: state };
      const tokens = await openid.authorizationCodeGrant(configuration, answer, checks);
      expect(await toolNames(tokens.access_token)).toContain('echo');

      const refreshed = await openid.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
      expect(await toolNames(refreshed.access_token)).toContain('echo');

      await openid.tokenRevocation(configuration, refreshed.refresh_token ?? '');
      await expect(openid.refreshTokenGrant(configuration, refreshed.refresh_token ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    });
  },
);

async function toolNames(accessToken: string): Promise<string[]> {
  const session = await McpSession.open(`${stack.mcpUrl}/mcp`, accessToken);
  const { text } = await session.post({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
  return [...text.matchAll(/"name":"([^"]+)"/g)].map(([, name = '']) => name);
}
