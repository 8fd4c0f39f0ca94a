/**
 * Proves that one auth-server serves any number of MCP servers (RFC 8707): two real ones that do not accept each
 * other's tokens, each with its own scopes, default and token lifetime; one of them unknown until it starts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { initialize, McpSession, OAuthClient, postJson, REDIRECT_URI, send } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Run, type Stack } from '../support/stack.ts';

const READY = '"msg":"ready"';

describe('two MCP servers behind one auth-server', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-two-'));
  const runs: Run[] = [];
  let auth: string;
  /** Our own server, whose scopes are discovered; and one that needs only `notes:use`, as its operator configured. */
  let first: string;
  let second: string;
  let startSecond: () => Promise<void>;

  beforeAll(async () => {
    const [a, b, authPort, idpPort] = await freePorts(4);
    first = `http://localhost:${a}`;
    second = `http://localhost:${b}`;
    auth = `http://localhost:${authPort}`;
    const idp = `http://localhost:${idpPort}`;
    const shared = { ISSUER: auth, DEVELOPMENT_IDP_URL: idp, DATA_DIR: dataDir, REGISTRATION_LIMIT: '1000' };
    const resources = [{ url: first }, { url: second, name: 'Notes', accessTokenLifetime: '90s' }];
    const start = async (program: string, env: NodeJS.ProcessEnv) => {
      const run = new Run({ ...shared, ...env }, `${program}/src/main.ts`);
      runs.push(run);
      await run.says(READY);
    };
    startSecond = () => start('mcp-server', { PUBLIC_URL: second, BASE_SCOPE: 'notes:use' });
    await Promise.all([
      start('development-idp', {}),
      start('auth-server', { RESOURCES: JSON.stringify(resources) }),
      start('mcp-server', { PUBLIC_URL: first }),
    ]);
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  const at = (mcpUrl: string) => ({ authUrl: auth, mcpUrl }) as Stack;
  const register = () => OAuthClient.register(at(first));
  const askFor = (mcpUrl: string, scope?: string) => ({ resource: `${mcpUrl}/mcp`, scope });
  const refusal = async (client: OAuthClient, parameters: Record<string, string | undefined>) => {
    const answer = await new Person().open(client.authorizationUrl(parameters), REDIRECT_URI);
    if (!(answer instanceof URL)) throw new Error(`no answer but a page: ${answer.status}`);
    return Object.fromEntries(answer.searchParams);
  };

  it('auth-server issues tokens for one server while the other is down, and learns its scopes when it starts', async () => {
    const client = await register();
    const metadata = async () => (await send(`${auth}/.well-known/oauth-authorization-server`)).json;
    expect((await client.tokens(askFor(first))).scope).toBe('mcp:tools');
    expect(await refusal(client, askFor(second, 'notes:use'))).toMatchObject({ error: 'invalid_scope' });
    expect((await metadata()).scopes_supported).not.toContain('notes:use');

    await startSecond();
    // A resource that never answered is asked again after a second.
    await vi.waitFor(async () => expect((await metadata()).scopes_supported).toContain('notes:use'), {
      timeout: 30_000,
    });
    expect((await metadata()).scopes_supported).toEqual(
      expect.arrayContaining(['openid', 'offline_access', 'mcp:tools', 'mcp:admin', 'notes:use']),
    );
    expect((await metadata()).protected_resources).toEqual([`${first}/mcp`, `${second}/mcp`]);
    expect((await client.tokens(askFor(second, 'notes:use'))).scope).toBe('notes:use');
  });

  it('RFC 8707 §2 a client signs in to both servers, and has a token for each with its own audience and lifetime', async () => {
    const client = await register();
    const one = await client.tokens(askFor(first, 'mcp:tools'));
    const other = await client.tokens(askFor(second, 'notes:use'));
    expect(decodeJwt(one.access_token)).toMatchObject({ aud: `${first}/mcp`, scope: 'mcp:tools' });
    expect(decodeJwt(other.access_token)).toMatchObject({ aud: `${second}/mcp`, scope: 'notes:use' });
    expect([one.expires_in, other.expires_in]).toEqual([600, 90]);
    for (const [url, { access_token }] of [[first, one] as const, [second, other] as const]) {
      const session = await McpSession.open(`${url}/mcp`, access_token);
      expect((await session.call('echo', { message: 'hello' })).text).toContain('hello');
    }
    const renewed = [await client.refresh(one.refresh_token), await client.refresh(other.refresh_token)];
    expect(renewed.map(({ json }) => decodeJwt(String(json.access_token)).aud)).toEqual([
      `${first}/mcp`,
      `${second}/mcp`,
    ]);
  });

  it('RFC 8707 §3 a token for one server is refused by the other, which names its own metadata', async () => {
    const client = await register();
    const tokens = {
      [first]: (await client.tokens(askFor(first))).access_token,
      [second]: (await client.tokens(askFor(second))).access_token,
    };
    for (const [here, there] of [[first, second] as const, [second, first] as const]) {
      for (const path of ['/mcp', '/sse']) {
        const authorization = { authorization: `Bearer ${tokens[there]}` };
        const answer = await postJson(`${here}${path}`, initialize(), authorization);
        expect(answer.status).toBe(401);
        const challenge = answer.headers.get('www-authenticate');
        expect(challenge).toContain('error="invalid_token"');
        expect(challenge).toContain(`resource_metadata="${here}/.well-known/oauth-protected-resource${path}"`);
      }
    }
  });

  it('RFC 8707 §2.2 a code or refresh token for one server yields no token for the other, and is not spent', async () => {
    const client = await register();
    const tokens = await client.tokens(askFor(first));
    const refused = await client.refresh(tokens.refresh_token, { resource: `${second}/mcp` });
    expect(refused.json).toMatchObject({ error: 'invalid_target', error_description: expect.stringContaining(first) });
    expect((await client.refresh(tokens.refresh_token, { resource: `${first}/mcp/` })).status).toBe(200);
    const code = await client.code(askFor(first));
    expect((await client.redeem(code, { resource: `${second}/mcp` })).json.error).toBe('invalid_target');
  });

  it('RFC 6749 §3.3 the scopes of one server are refused at the other, and each has its own default', async () => {
    const client = await register();
    expect(await refusal(client, askFor(second, 'mcp:tools'))).toMatchObject({ error: 'invalid_scope' });
    expect(await refusal(client, askFor(first, 'notes:use'))).toMatchObject({ error: 'invalid_scope' });
    expect((await client.tokens(askFor(first, 'mcp:admin notes:use'))).scope).toBe('mcp:admin');
    expect((await client.tokens(askFor(first))).scope).toBe('mcp:tools');
    expect((await client.tokens(askFor(second))).scope.split(' ')).toContain('notes:use');
    expect((await client.tokens({ resource: undefined, scope: undefined })).scope).toBe('mcp:tools');
  });

  it('the sign-in page names the requested server', async () => {
    const client = await register();
    const page = await new Person().open(client.authorizationUrl(askFor(second, 'notes:use')), REDIRECT_URI);
    if (page instanceof URL) throw new Error('no page');
    expect(page.body).toContain('<bdi>Notes</bdi>');
    expect(page.body).toContain(`${second}/mcp`);
    expect(page.body).toContain('Use the permission <code>notes:use</code>');
  });
});
