/**
 * Proves enterprise-managed authorization with real processes: a person signs in at the identity provider once, and then programs get
 * access tokens and call tools unattended and without a consent page, with the settings of docs/enterprise.md.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import * as v2 from '@modelcontextprotocol/client';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../support/person.ts';
import { ROOT, Stack } from '../support/stack.ts';

const [CLIENT_SECRET, IDP_SECRET] = ['development-only-terminal-secret', 'development-only-client-secret'];

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let stack: Stack;
let config: string;
beforeAll(async () => {
  const ports = await freePorts(3);
  config = mkdtempSync(join(tmpdir(), 'mcp-enterprise-'));
  const env = { ...settingsOfPage(ports), DEVELOPMENT_IDP_ENTERPRISE_PEOPLE: 'alice' };
  stack = await Stack.start(env, ports);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(config, { recursive: true, force: true });
});

/** The settings that docs/enterprise.md shows for `npm start`, at other ports. */
function settingsOfPage([mcp, auth, idp]: readonly number[]): Record<string, string> {
  const page = readFileSync(join(ROOT, 'docs/enterprise.md'), 'utf8');
  const [, block = ''] = /```sh\n(CLIENTS=[\s\S]*?)```/.exec(page) ?? [];
  const here = block
    .replaceAll('localhost:8080', `localhost:${mcp}`)
    .replaceAll('localhost:9000', `localhost:${auth}`)
    .replaceAll('localhost:9001', `localhost:${idp}`);
  const lines = [...here.matchAll(/^(\w+)='?(.*?)'?$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
}

/** @param home of the person: their token files */
function client(args: readonly string[], { home = config, onError = (_: string) => {} } = {}): Promise<Ran> {
  const child = spawn(process.execPath, ['client/src/main.ts', `${stack.mcpUrl}/mcp`, ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      XDG_CONFIG_HOME: home,
      MCP_CLIENT_SECRET: CLIENT_SECRET,
      MCP_IDP_CLIENT_SECRET: IDP_SECRET,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A sign-in that goes wrong waits for a person.
    timeout: 30_000,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk;
    onError(said.stderr);
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...said })));
}

/** Opens the printed URL as a person in a browser: at the identity provider, or on the pages of auth-server before that. */
async function login(args: readonly string[], name = /Alice/, home = config): Promise<Ran> {
  let finished: Promise<unknown> | undefined;
  const ran = await client(['login', '--no-browser', ...args], {
    home,
    onError: (text) => {
      const [, url] = /^ {2}(http\S+)\n/m.exec(text) ?? [];
      if (url) finished ??= signIn(new URL(url), name);
    },
  });
  await finished;
  return ran;
}

async function signIn(url: URL, name: RegExp): Promise<void> {
  const person = new Person();
  const until = url.searchParams.get('redirect_uri') ?? '';
  let at = await person.open(url, until);
  for (const label of [/Continue with|Approve/, name]) {
    if (!(at instanceof URL) && label.test(at.body)) at = await person.press(at, label, until);
  }
  if (!(at instanceof URL)) throw new Error(`the sign-in ended at ${at.url} with ${at.status}`);
  await fetch(at);
}

const enterprise = () => [
  ...['--enterprise', '--client-id', 'terminal', '--idp', stack.idpUrl, '--idp-client-id', 'mcp-client'],
];

const whoami = async (home = config) => JSON.parse((await client(['call', 'whoami', '--json'], { home })).stdout);

const fileOf = (url: string): string => {
  const folder = join(config, 'mcp-oauth-client');
  const name = readdirSync(folder).find((file) => file.startsWith(new URL(url).host.replace(':', '_'))) ?? '';
  return join(folder, name);
};
const kept = (url: string) => JSON.parse(readFileSync(fileOf(url), 'utf8'));

/** The paths at which auth-server was asked so far. */
const pathsAtAuthServer = (): readonly string[] =>
  stack.run.output
    .split('\n')
    .filter((line) => line.includes('auth-server'))
    .flatMap((line) => /\bpath=(\/\S*)/.exec(line)?.[1] ?? []);

describe('MCP enterprise-managed authorization with real processes', () => {
  it('login --enterprise signs in at the identity provider, and a tool call needs no consent page', async () => {
    expect(await login(enterprise())).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(
        `Signed in by ${stack.authUrl}, because ${stack.idpUrl} vouches for you, for mcp:tools.`,
      ),
    });
    expect(await whoami()).toMatchObject({ structuredContent: { scopes: ['mcp:tools'] } });
    expect(pathsAtAuthServer()).toContain('/token');
    expect(pathsAtAuthServer().filter((path) => /^\/(authorize|interaction|callback)/.test(path))).toEqual([]);
  });

  it('an access token that is not accepted any more is renewed through the identity provider, without a person', async () => {
    const grant = kept(stack.mcpUrl);
    const { access_token: first } = grant.tokens;
    expect(grant.tokens.refresh_token).toBeUndefined();
    writeFileSync(
      fileOf(stack.mcpUrl),
      JSON.stringify({ ...grant, tokens: { ...grant.tokens, access_token: `${first}x` } }),
    );
    expect(await client(['call', 'sum', 'a=1', 'b=2'])).toEqual({
      status: 0,
      stdout: 'The sum of 1 and 2 is 3\n',
      stderr: '',
    });
    expect(kept(stack.mcpUrl).tokens.access_token).not.toBe(first);
  });

  it('the person has the same subject as after a sign-in on the pages of auth-server', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mcp-consent-'));
    expect(await login([], /Alice/, home)).toMatchObject({ status: 0 });
    const [managed, approved] = [await whoami(), await whoami(home)];
    expect(managed.structuredContent.subject).toBe(approved.structuredContent.subject);
    rmSync(home, { recursive: true });
  });

  it('SDK v2 calls a tool with its own provider for cross-app access', async () => {
    const authProvider = new v2.CrossAppAccessProvider({
      clientId: 'terminal',
      clientSecret: CLIENT_SECRET,
      expectedIssuer: stack.authUrl,
      assertion: requestIdJag,
    });
    const mcp = new v2.Client({ name: 'job', version: '1.0.0' });
    await mcp.connect(new v2.StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { authProvider }));
    expect(JSON.stringify(await mcp.callTool({ name: 'whoami', arguments: {} }))).toContain('terminal');
    await mcp.close();
  });

  it('SDK v1, which has no provider for it, calls a tool with a token request of its own', async () => {
    const mcp = new Client({ name: 'job', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { authProvider: v1Provider() });
    await mcp.connect(transport);
    expect(JSON.stringify(await mcp.callTool({ name: 'whoami', arguments: {} }))).toContain('terminal');
    await mcp.close();
  });

  it('a person whom the administrator has not allowed gets no token, and the client says who has to act', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mcp-bob-'));
    const { status, stderr } = await login(enterprise(), /Bob/, home);
    expect(status).toBe(1);
    expect(stderr).toContain('(access_denied: the administrator has not allowed this person to use the MCP server)');
    expect(stderr).toContain(`Its administrator has to let mcp-client use ${stack.mcpUrl}/mcp`);
    rmSync(home, { recursive: true });
  });

  it('RFC 7009 §2.1 logout --enterprise ends the sign-in at the identity provider, and a call then needs a person', async () => {
    const { stdout } = await client(['logout', '--enterprise']);
    expect(stdout).toContain(`The sign-in at ${stack.idpUrl} is over too.\n`);
    expect(await client(['call', 'whoami'])).toMatchObject({ status: 3 });
  });

  it('CWE-532 no ID token, ID-JAG, access token or secret is in the logs', () => {
    const log = stack.run.output;
    expect(log).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
    for (const secret of [CLIENT_SECRET, IDP_SECRET]) expect(log).not.toContain(secret);
  });
});

/** With the ID token of the sign-in of the terminal. */
const requestIdJag = async (): Promise<string> => {
  const { jwtAuthGrant } = await v2.discoverAndRequestJwtAuthGrant({
    idpUrl: stack.idpUrl,
    audience: stack.authUrl,
    resource: `${stack.mcpUrl}/mcp`,
    idToken: kept(stack.idpUrl).tokens.id_token,
    clientId: 'mcp-client',
    clientSecret: IDP_SECRET,
    scope: 'mcp:tools',
  });
  return jwtAuthGrant;
};

function v1Provider(): OAuthClientProvider {
  let tokens: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  return {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [], token_endpoint_auth_method: 'client_secret_basic' },
    clientInformation: () => ({ client_id: 'terminal', client_secret: CLIENT_SECRET }),
    tokens: () => tokens,
    saveTokens: (given) => {
      tokens = given;
    },
    redirectToAuthorization: () => {
      throw new Error('a browser was needed');
    },
    saveCodeVerifier: () => {},
    codeVerifier: () => '',
    prepareTokenRequest: async () =>
      new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await requestIdJag(),
        scope: 'mcp:tools',
      }),
  };
}
