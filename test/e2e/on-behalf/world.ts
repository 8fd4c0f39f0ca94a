/**
 * Owns the whole system in a test of tools that act for people: two auth-servers and three mcp-servers on one Redis, each behind a
 * balancer that alternates them per request, a second MCP server, an identity provider, and GitHub.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { roundRobin } from '../../support/round-robin.ts';
import { Run, type Stack } from '../../support/stack.ts';
import { type GithubApp, githubApp } from '../github-apps.ts';
import { type UpstreamProvider, upstreamProvider } from '../upstream-provider.ts';

export const EXCHANGE_CLIENT = 'mcp-server';
const BILLING_CLIENT = 'billing-server';

export interface World extends AsyncDisposable {
  /** For clients of the MCP server. */
  readonly stack: Stack;
  /** URL of the second MCP server. */
  readonly billing: string;
  readonly github: GithubApp;
  readonly idp: UpstreamProvider;
  readonly redis: TestRedis;
  /** The private key of mcp-server at the exchange. */
  readonly key: JWK;
  /** The private key of another client of the operator that may exchange, but that no policy names. */
  readonly strangerKey: JWK;
  /** The operator changes settings of the auth-servers, and starts them again. */
  restartAuths(changes: Readonly<Record<string, string>>): Promise<void>;
  readonly mcps: readonly Run[];
  /** The second MCP server. */
  readonly other: Run;
  /** Each mcp-server by itself. */
  readonly mcpPorts: readonly number[];
  output(): string;
}

interface Options {
  readonly names: readonly string[];
  readonly auth?: Readonly<Record<string, string>>;
  readonly mcp?: Readonly<Record<string, string>>;
}

const TOOLS = fileURLToPath(new URL('./tools/', import.meta.url));
const local = ({ url }: TestServer): string => url.replace('127.0.0.1', 'localhost');

async function keyPair(): Promise<{ readonly private: JWK; readonly public: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const own = { alg: 'ES256', use: 'sig', kid: 'exchange' };
  return { private: { ...(await exportJWK(privateKey)), ...own }, public: { ...(await exportJWK(publicKey)), ...own } };
}

export async function startWorld({ names, auth = {}, mcp = {} }: Options): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-on-behalf-'));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const redis = starting.use(await startRedis());
  const github = starting.use(await githubApp());
  const idp = starting.use(await upstreamProvider(names));
  const [key, billingKey, foreign] = await Promise.all([keyPair(), keyPair(), keyPair()]);
  const [authPorts, mcpPorts, [billingPort = 0]] = [await freePorts(2), await freePorts(3), await freePorts(1)];
  const [authGateway, mcpGateway] = [
    starting.use(await roundRobin(authPorts)),
    starting.use(await roundRobin(mcpPorts)),
  ];
  const [issuer, publicUrl, billing] = [local(authGateway), local(mcpGateway), `http://localhost:${billingPort}`];

  const policy = {
    clients: [
      {
        client: EXCHANGE_CLIENT,
        resource: `${publicUrl}/mcp`,
        connectors: ['github', 'forge'],
        resources: [{ resource: `${billing}/mcp`, scopes: ['mcp:tools'] }],
        maxDepth: 2,
      },
      { client: BILLING_CLIENT, resource: `${billing}/mcp`, connectors: ['github'], maxDepth: 2 },
    ],
  };
  const policyFile = join(folder, 'exchange.json');
  writeFileSync(policyFile, JSON.stringify(policy));
  const exchanging = (id: string, jwk: JWK) => ({
    client_id: id,
    grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
  });
  const { CONNECTORS: signIn, ...idpEnv } = idp.env;
  const storageKey = randomBytes(32).toString('base64');
  const authEnv = {
    ISSUER: issuer,
    REDIS_URL: redis.url,
    STORAGE_KEYS: storageKey,
    RESOURCES: JSON.stringify([{ url: publicUrl }, { url: billing, name: 'Billing' }]),
    CLIENTS: JSON.stringify([
      exchanging(EXCHANGE_CLIENT, key.public),
      exchanging(BILLING_CLIENT, billingKey.public),
      exchanging('stranger', foreign.public),
    ]),
    EXCHANGE_POLICY: policyFile,
    ...idpEnv,
    CONNECTORS: `${signIn},github,forge`,
    ...github.env('github'),
    CONNECTOR_GITHUB_USE: 'tools',
    CONNECTOR_GITHUB_TOOL_SCOPES: 'repo',
    CONNECTOR_FORGE_TYPE: 'oauth2',
    CONNECTOR_FORGE_USE: 'tools',
    CONNECTOR_FORGE_TOOL_SCOPES: 'notes',
    CONNECTOR_FORGE_AUTHORIZATION_URL: `${github.url}/login/oauth/authorize`,
    CONNECTOR_FORGE_TOKEN_URL: `${github.url}/login/oauth/access_token`,
    CONNECTOR_FORGE_USERINFO_URL: `${github.url}/api/user`,
    CONNECTOR_FORGE_ACCOUNT_CLAIM: 'login',
    CONNECTOR_FORGE_CLIENT_ID: github.clientId,
    CONNECTOR_FORGE_CLIENT_SECRET: github.clientSecret,
    CONNECTOR_FORGE_CLIENT_AUTH: 'client_secret_post',
    REGISTRATION_LIMIT: '100000',
    AUTHORIZATION_LIMIT: '100000',
    FAILURE_LIMIT: '100000',
    ...auth,
  };
  const mcpEnv = {
    ISSUER: issuer,
    PUBLIC_URL: publicUrl,
    REDIS_URL: redis.url,
    TOOLS_DIR: TOOLS,
    UPSTREAMS: 'github,forge,billing',
    UPSTREAM_GITHUB_URL: `${github.url}/api`,
    UPSTREAM_FORGE_URL: `${github.url}/api`,
    UPSTREAM_BILLING_URL: billing,
    UPSTREAM_BILLING_RESOURCE: `${billing}/mcp`,
    UPSTREAM_BILLING_SCOPES: 'mcp:tools',
    EXCHANGE_CLIENT_ID: EXCHANGE_CLIENT,
    EXCHANGE_KEY: JSON.stringify(key.private),
    ...mcp,
  };
  const start = (program: string, port: number, env: NodeJS.ProcessEnv) =>
    new Run({ ...env, PORT: String(port) }, `${program}/src/main.ts`);
  const runs: Run[] = [];
  starting.defer(async () => void (await Promise.all(runs.map((run) => run.stop()))));
  const ready = async (...begun: Run[]) => {
    runs.push(...begun);
    await Promise.all(begun.map((run) => run.says('"msg":"ready"')));
  };
  const mcps = mcpPorts.map((port) => start('mcp-server', port, mcpEnv));
  const other = start('mcp-server', billingPort, {
    ISSUER: issuer,
    PUBLIC_URL: billing,
    UPSTREAMS: 'github',
    UPSTREAM_GITHUB_URL: `${github.url}/api`,
    EXCHANGE_CLIENT_ID: BILLING_CLIENT,
    EXCHANGE_KEY: JSON.stringify(billingKey.private),
    AUDIT: 'stdout',
    AUDIT_KEY: storageKey,
    STATUS_MAX_AGE: '1s',
  });
  await ready(...mcps, other);
  const startAuths = async (changes: Readonly<Record<string, string>> = {}): Promise<readonly Run[]> => {
    const begun = authPorts.map((port) => start('auth-server', port, { ...authEnv, ...changes }));
    await ready(...begun);
    return begun;
  };
  // After them, because it reads their scopes when it starts, and waits after a failure.
  let auths = await startAuths();
  const started = starting.move();
  return {
    stack: { authUrl: issuer, mcpUrl: publicUrl } as Stack,
    billing,
    github,
    idp,
    redis,
    key: key.private,
    strangerKey: foreign.private,
    restartAuths: async (changes) => {
      await Promise.all(auths.map((run) => run.stop()));
      auths = await startAuths(changes);
    },
    mcps,
    other,
    mcpPorts,
    output: () => runs.map((run) => run.output).join('\n'),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
