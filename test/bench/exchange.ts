/**
 * Owns `npm run bench:exchange`: what a token exchange (RFC 8693) costs auth-server, beside a machine token of a client that
 * authenticates in the same way; what two auth-servers with one Redis give; and a call of a tool that has to exchange first. The person
 * has an account at GitHub connected; GitHub is asked by the tool only.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { operatorOf } from '@mcp-oauth/shared/testing/redis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { githubApp } from '../e2e/github-apps.ts';
import { connect } from '../e2e/on-behalf/callers.ts';
import { Person } from '../support/person.ts';
import { mcpServers } from './exchange-calls.ts';
import { type Call, CONNECTIONS, loadAll } from './load.ts';
import { CLIENT_ID, REDIRECT_URI, RESOURCE, VERIFIER } from './parties.ts';
import { leaveServerAlone } from './program.ts';
import { startOurs } from './servers.ts';
import { keep, print, printHead } from './table/report.ts';
import { median } from './table/row.ts';
import type { Cost, Listener } from './wire.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '2000' },
    calls: { type: 'string', default: '250' },
    save: { type: 'boolean', default: false },
  },
});

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const OTHER = 'http://localhost:8090/mcp';
const EXCHANGER = 'exchanger';
const POLICY = [
  {
    client: EXCHANGER,
    resource: RESOURCE,
    connectors: ['github'],
    resources: [{ resource: OTHER, scopes: ['mcp:tools'] }],
  },
];

leaveServerAlone();
await using started = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'bench-exchange-'));
started.defer(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'policy.json'), JSON.stringify({ clients: POLICY }));
const github = started.use(await githubApp());
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] };
const scopes = { 'mcp:tools': 'Use the tools' };
const server = started.use(
  await startOurs('Redis', {
    clients: [
      {
        client_id: EXCHANGER,
        grant_types: [GRANT, 'client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks,
      },
    ],
    env: {
      RESOURCES: JSON.stringify([RESOURCE, OTHER].map((url) => ({ url: new URL(url).origin, scopes }))),
      EXCHANGE_POLICY: join(folder, 'policy.json'),
      CONNECTORS: 'development,github',
      ...github.env('github'),
      CONNECTOR_GITHUB_USE: 'tools',
      CONNECTOR_GITHUB_TOOL_SCOPES: 'repo',
    },
  }),
);
const issuer = `http://localhost:${server.port}`;

const form = (fields: Record<string, string>): Call => ({
  path: '/token',
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
});

async function ask(call: Call): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return (await (await fetch(issuer + call.path, { method: 'POST', headers, body: call.body ?? '' })).json()) as Record<
    string,
    string
  >;
}

/** A request that is good once, because its assertion is. */
async function authenticated(fields: Record<string, string>): Promise<Call> {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(EXCHANGER)
    .setSubject(EXCHANGER)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return form({ client_assertion_type: type, client_assertion: assertion, client_id: EXCHANGER, ...fields });
}

/** Access tokens of the person. */
async function tokens(count: number): Promise<readonly string[]> {
  const all: string[] = [];
  for (const code of await server.mint(count)) {
    const redemption = { client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, code_verifier: VERIFIER, code };
    const { access_token: token = '' } = await ask(form({ grant_type: 'authorization_code', ...redemption }));
    all.push(token);
  }
  return all;
}

const [subject = ''] = await tokens(1);
const exchanging = {
  grant_type: GRANT,
  subject_token: subject,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};
const machine = { grant_type: 'client_credentials', scope: 'mcp:tools' };
const chained = { ...exchanging, resource: OTHER };
const upstream = { ...exchanging, audience: 'github' };
const { interaction_uri: link = '' } = await ask(await authenticated(upstream));
await connect(new Person(), link, /Alice/);

const replica = started.use(await server.replica());
const callsAtMcpServers = await mcpServers(started, {
  ...{ issuer, replica, redisUrl: server.redisUrl ?? '', github, fresh: tokens },
  client: { id: EXCHANGER, key: { ...(await exportJWK(privateKey)), alg: 'ES256' } },
});

/** Prepares so many requests, which then run. */
type Work = (total: number) => Promise<() => Promise<Cost>>;

const requests =
  (fields: Record<string, string>, servers: readonly Listener[] = [server]): Work =>
  async (total) => {
    const calls = await Promise.all(Array.from({ length: total }, () => authenticated(fields)));
    const begin = () => () => calls.pop();
    return () => loadAll(servers, begin);
  };

const WORK: Readonly<Record<string, Work>> = {
  'machine token': requests(machine),
  'for another MCP server': requests(chained),
  'for an upstream': requests(upstream),
  'for an upstream, two auth-servers': requests(upstream, [server, replica]),
  'github_profile, three mcp-servers': callsAtMcpServers,
};
const sizeOf = (name: string): number => Number(WORK[name] === callsAtMcpServers ? values.calls : values.requests);

/** Commands that Redis gets for one request. */
async function commands(work: Work): Promise<number> {
  const redis = operatorOf(server.redisUrl ?? '');
  const total = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  const run = await work(CONNECTIONS);
  const before = await total();
  await run();
  const after = await total();
  redis.disconnect();
  return (after - before - 1) / CONNECTIONS;
}

const costs = new Map<string, Cost[]>(Object.keys(WORK).map((name) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const [name, work] of Object.entries(WORK)) {
    const run = await work(sizeOf(name));
    const cost = await run();
    // The first round warms up the compiler.
    if (round > 0) costs.get(name)?.push(cost);
  }
}
printHead(['exchange'], ['requests/s', 'CPU µs', 'p50 ms', 'p99 ms', 'Redis commands']);
const results: object[] = [];
for (const [name, all] of costs) {
  const of = (figure: 'perSecond' | 'cpu' | 'p50' | 'p99') => median(all.map((cost) => cost[figure]));
  const figures = { perSecond: of('perSecond'), cpu: of('cpu'), p50: of('p50'), p99: of('p99') };
  const redis = await commands(WORK[name] as Work);
  const [perSecond, cpu] = [figures.perSecond.toFixed(0), figures.cpu.toFixed(0)];
  print(name, perSecond, cpu, figures.p50.toFixed(1), figures.p99.toFixed(1), redis.toFixed(1));
  results.push({ name, ...figures, redisCommands: redis });
}
if (values.save) keep('exchange', { ...values, results });
