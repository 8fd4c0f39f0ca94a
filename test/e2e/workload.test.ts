/**
 * Proves workload identity with real processes (RFC 7523): a job of GitHub Actions calls a tool with the settings and rules of
 * docs/workload-identity.md, whichever of two auth-servers on one Redis gives it a token, until an operator ends its access.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SHAPES } from '../../mcp-server/test/issuers/shapes.ts';
import { signingKey, signToken } from '../../mcp-server/test/support/issuer.ts';
import { type Answer, initialize, postJson, send } from '../support/oauth-client.ts';
import { ResourceServer } from '../support/resource-server.ts';
import { roundRobin } from '../support/round-robin.ts';
import { ROOT, Run } from '../support/stack.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';
const key = await signingKey('github-key', 'RS256');
const folder = mkdtempSync(join(tmpdir(), 'mcp-workload-'));

let redis: TestRedis;
/** The keys of GitHub. */
let keys: TestServer;
/** In front of both auth-servers. */
let balancer: TestServer;
let issuer: string;
let mcp: ResourceServer;
let env: Record<string, string>;
/** URLs of the two auth-servers. */
let urls: readonly string[];
const auths: Run[] = [];

beforeAll(async () => {
  if (!hasRedis) return;
  const ports = await freePorts(2);
  [redis, balancer] = [await startRedis(), await roundRobin(ports)];
  keys = await serve((_, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.publicJwk] }));
  });
  issuer = balancer.url.replace('127.0.0.1', 'localhost');
  urls = ports.map((port) => `http://localhost:${port}`);
  mcp = await ResourceServer.start({ ISSUER: issuer, STATUS_MAX_AGE: '1s' });
  env = {
    ...settingsOfPage(mcp.url),
    WORKLOAD_ISSUER_GITHUB_ACTIONS_JWKS_URL: `${keys.url}/jwks`,
    ISSUER: issuer,
    RESOURCES: mcp.url,
    REDIS_URL: redis.url,
    STORAGE_KEYS: Buffer.alloc(32, 7).toString('base64'),
  };
  auths.push(...ports.map((port) => new Run({ ...env, PORT: String(port) }, 'auth-server/src/main.ts')));
  await Promise.all(auths.map((run) => run.says('"msg":"ready"')));
});
afterAll(async () => {
  await Promise.all(auths.map((run) => run.stop()));
  await mcp?.[Symbol.asyncDispose]();
  await Promise.all([balancer, keys].map((server) => server?.close()));
  await redis?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

/** The settings that docs/workload-identity.md shows for GitHub Actions, with its rules for this MCP server. */
function settingsOfPage(server: string): Record<string, string> {
  const page = readFileSync(join(ROOT, 'docs/workload-identity.md'), 'utf8');
  const [, rules = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const [, settings = ''] = /```sh\n(CLIENTS=[\s\S]*?)```/.exec(page) ?? [];
  const path = join(folder, 'workloads.json');
  writeFileSync(path, rules.replaceAll('https://mcp.example.com', server));
  const lines = [...settings.replace('/etc/mcp-oauth/workloads.json', path).matchAll(/^(\w+)='?(.*?)'?$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
}

/** What GitHub gives the job that the rule is about, with other claims. */
function jwtOfJob(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const shape = SHAPES['github-actions'] ?? expect.unreachable();
  const now = Math.floor(Date.now() / 1000);
  const job = {
    sub: 'repo:acme/app:ref:refs/heads/main',
    repository: 'acme/app',
    repository_owner: 'acme',
    repository_owner_id: '1234567',
    environment: undefined,
    ref: 'refs/heads/main',
    event_name: 'push',
  };
  const times = { iat: now, nbf: now - 600, exp: now + 300 };
  const all = { ...shape.claims(mcp.url), ...job, iss: GITHUB, aud: issuer, ...times, ...claims };
  return signToken({ key, claims: all, header: shape.header });
}

/** As the page shows it with curl: there is no client id and no secret. */
const ask = (assertion: string, at = issuer, more: Record<string, string> = {}): Promise<Answer> =>
  send(`${at}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      resource: `${mcp.url}/mcp`,
      assertion,
      ...more,
    }),
  });

const tokenOf = async (asked: Promise<Answer>): Promise<string> => String((await asked).json.access_token);

const statusWith = async (token: string): Promise<number> =>
  (await postJson(`${mcp.url}/mcp`, initialize(), { authorization: `Bearer ${token}` })).status;

describe('RFC 7523 a job of GitHub Actions and an MCP server', () => {
  it('RFC 7523 §2.1 the JWT of a job gives an access token, with which it calls a tool as the subject of its rule', async () => {
    const { status, json } = await ask(await jwtOfJob(), issuer, { scope: 'mcp:tools mcp:admin' });
    expect([status, json]).toEqual([200, expect.objectContaining({ token_type: 'Bearer', scope: 'mcp:tools' })]);
    expect(json).not.toHaveProperty('refresh_token');
    expect(await mcp.whoami(String(json.access_token))).toEqual({
      subject: 'workload:github-actions:deploy',
      client: 'ci',
      scopes: ['mcp:tools'],
      issuer,
      expires_at: expect.any(String),
    });
  });

  it.each([
    ['another owner with the same name', { repository_owner_id: '7654321' }],
    ['another branch', { ref: 'refs/heads/feature', sub: 'repo:acme/app:ref:refs/heads/feature' }],
    ['a pull request', { event_name: 'pull_request' }],
    ['a JWT for somebody else (RFC 7523 §3)', { aud: 'https://github.com/acme' }],
  ])('RFC 7523 §3.1 a job that no rule is about gets no token: %s', async (_, claims) => {
    const { status, json } = await ask(await jwtOfJob(claims));
    expect([status, json]).toEqual([400, { error: 'invalid_grant', error_description: 'the assertion was refused' }]);
  });

  it('RFC 7523 §4 the JWT itself calls no tool, although an access token is given for it', async () => {
    const { answer } = await mcp.refusal(await jwtOfJob());
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
  });

  it('RFC 7523 §2.1 two auth-servers on one Redis give a job the same subject, and tokens that end together', async () => {
    const jwt = await jwtOfJob();
    const tokens = await Promise.all(urls.map((url) => tokenOf(ask(jwt, url))));
    const told = await Promise.all(tokens.map((token) => mcp.whoami(token)));
    expect(told).toMatchObject(tokens.map(() => ({ subject: 'workload:github-actions:deploy' })));
    expect(new Set(tokens).size).toBe(2);
    for (const part of [
      (token: string) => decodeProtectedHeader(token).kid,
      (token: string) => JSON.stringify(decodeJwt(token).status),
    ]) {
      expect(new Set(tokens.map(part)).size).toBe(1);
    }
  });

  it.each(['grants end --client ci --yes', 'grants end --before now --yes'])(
    'Token Status List §8 mcp-server refuses the tokens of a workload after %s, and a new one works',
    async (line) => {
      const tokens = await Promise.all(urls.map(async (url) => tokenOf(ask(await jwtOfJob(), url))));
      expect(await Promise.all(tokens.map(statusWith))).toEqual([200, 200]);
      const { code, output } = await new Run(env, `auth-server/src/main.ts ${line}`).ended;
      expect([code, output]).toEqual([0, expect.stringContaining('Ended')]);
      await expect.poll(() => Promise.all(tokens.map(statusWith)), { interval: 100 }).toEqual([401, 401]);
      expect((await mcp.refusal(tokens[0] ?? '')).line).toMatchObject({ reason: 'revoked' });
      expect(await statusWith(await tokenOf(ask(await jwtOfJob())))).toBe(200);
    },
  );

  it('CWE-532 no JWT of a job and no access token is in the logs', () => {
    const logs = [mcp.output, ...auths.map(({ output }) => output)].join('\n');
    expect(logs).toContain('workload:github-actions:deploy');
    expect(logs).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
  });
});
