/**
 * Proves with real processes that a tool learns who calls (RFC 9068 §2.2.2): what the operator named in TOKEN_CLAIMS comes
 * from the upstream into the access token, and from there to `whoami` in a session that is already open.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, McpSession, OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Run, Stack } from '../support/stack.ts';
import { githubStub, type Upstream } from './github-stub.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-claims-'));
const READY = '"msg":"ready"';
let upstream: Upstream;
let at: Stack;
let auth: Run;
let mcp: Run;

/** Starts auth-server, or restarts it with other settings on the same data. */
async function startAuth(env: Readonly<Record<string, string>> = {}): Promise<void> {
  await auth?.stop();
  const shared = { ISSUER: at.authUrl, RESOURCES: at.mcpUrl, DATA_DIR: dataDir };
  auth = new Run({ ...shared, ...upstream.env, ...env }, 'auth-server/src/main.ts');
  await auth.says(READY);
}

beforeAll(async () => {
  const [mcpPort, authPort] = await freePorts(2);
  at = { mcpUrl: `http://localhost:${mcpPort}`, authUrl: `http://localhost:${authPort}` } as Stack;
  upstream = await githubStub();
  upstream.user = { id: 7, login: 'ada', name: 'Ada Lovelace' };
  mcp = new Run({ ISSUER: at.authUrl, PUBLIC_URL: at.mcpUrl }, 'mcp-server/src/main.ts');
  await Promise.all([startAuth(), mcp.says(READY)]);
});
afterAll(async () => {
  await Promise.all([auth?.stop(), mcp?.stop()]);
  await upstream?.[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

const callerIn = ({ json }: Answer) =>
  (json.result as { structuredContent: Record<string, unknown> }).structuredContent;

/** Asks `whoami` in this session with another token of the same person and client. */
const whoami = async (session: McpSession, token: unknown) =>
  callerIn(await session.call('whoami', {}, { authorization: `Bearer ${token}` }));

describe('RFC 9068 §2.2.2 a tool learns who calls', () => {
  it('whoami says the name as soon as the person has approved that, and the newest one after each refresh', async () => {
    const client = await OAuthClient.register(at);
    const person = new Person();
    const first = await client.tokens({}, person);
    const session = await McpSession.open(`${at.mcpUrl}/mcp`, first.access_token);
    const before = await whoami(session, first.access_token);
    expect(Object.keys(before).sort()).toEqual(['client', 'expires_at', 'issuer', 'scopes', 'subject']);

    await startAuth({ TOKEN_CLAIMS: 'name,username' });
    const { json: renewed } = await client.refresh(first.refresh_token);
    expect(await whoami(session, renewed.access_token)).not.toHaveProperty('name');

    const page = await person.open(client.authorizationUrl(), REDIRECT_URI);
    if (page instanceof URL) throw new Error('no page');
    expect(page.body).toContain('<li>Your name</li>');
    expect(page.body).toContain('<li>Your user name</li>');
    const second = await client.tokens({}, person);
    const ada = await whoami(session, second.access_token);
    expect(ada).toMatchObject({ subject: before.subject, name: 'Ada Lovelace', username: 'ada' });

    upstream.user = { id: 7, login: 'ada', name: 'Ada King' };
    await (await OAuthClient.register(at)).tokens({}, new Person());
    const { json: later } = await client.refresh(second.refresh_token);
    expect(await whoami(session, later.access_token)).toMatchObject({ subject: before.subject, name: 'Ada King' });
    expect(auth.output + mcp.output).not.toMatch(/Ada (Lovelace|King)/);
  });
});

describe('RFC 9068 §2.2.3.1 groups of an OpenID provider', () => {
  it('whoami lists the groups that the provider reports, with no rule that needs them', async () => {
    await using stack = await Stack.start({ TOKEN_CLAIMS: 'email groups' });
    const client = await OAuthClient.register(stack);
    const { access_token, refresh_token } = await client.tokens();
    const { json } = await client.refresh(refresh_token);
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, access_token);
    for (const token of [access_token, json.access_token]) {
      const caller = await whoami(session, token);
      expect(caller).toMatchObject({ email: 'alice@example.com', groups: expect.arrayContaining(['staff']) });
      expect(caller).not.toHaveProperty('name');
    }
  });
});
