/**
 * Owns `npm run bench:exchange`: what a token exchange (RFC 8693) costs auth-server, beside a machine token of a client that
 * authenticates in the same way. The person has an account at GitHub connected; GitHub itself is not asked.
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
import { type Call, CONNECTIONS, type Conversation, load, type TimedCost } from './load.ts';
import { CLIENT_ID, REDIRECT_URI, RESOURCE, VERIFIER } from './parties.ts';
import { leaveServerAlone } from './program.ts';
import { startOurs } from './servers.ts';
import { keep, print, printHead } from './table/report.ts';
import { median } from './table/row.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '2000' },
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
const { privateKey, publicKey } = await generateKeyPair('ES256');
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

async function subjectToken(): Promise<string> {
  const [code = ''] = await server.mint(1);
  const redemption = { client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, code_verifier: VERIFIER, code };
  const { access_token: token = '' } = await ask(form({ grant_type: 'authorization_code', ...redemption }));
  return token;
}

const subject = await subjectToken();
const exchanging = {
  grant_type: GRANT,
  subject_token: subject,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};
const WORK: Readonly<Record<string, Record<string, string>>> = {
  'machine token': { grant_type: 'client_credentials', scope: 'mcp:tools' },
  'for another MCP server': { ...exchanging, resource: OTHER },
  'for an upstream': { ...exchanging, audience: 'github' },
};
const { interaction_uri: link = '' } = await ask(await authenticated(WORK['for an upstream'] ?? {}));
await connect(new Person(), link, /Alice/);

async function prepared(fields: Record<string, string>, total: number): Promise<() => Conversation> {
  const calls = await Promise.all(Array.from({ length: total }, () => authenticated(fields)));
  return () => () => calls.pop();
}

/** Commands that Redis gets for one request. */
async function commands(fields: Record<string, string>): Promise<number> {
  const [redis, count] = [operatorOf(server.redisUrl ?? ''), CONNECTIONS];
  const total = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  await load(server.port, server.pid, await prepared(fields, count));
  const before = await total();
  await load(server.port, server.pid, await prepared(fields, count));
  const after = await total();
  redis.disconnect();
  return (after - before - 1) / count;
}

const costs = new Map<string, TimedCost[]>(Object.keys(WORK).map((name) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const [name, fields] of Object.entries(WORK)) {
    const cost = await load(server.port, server.pid, await prepared(fields, Number(values.requests)));
    // The first round warms up the compiler.
    if (round > 0) costs.get(name)?.push(cost);
  }
}
printHead(['exchange'], ['requests/s', 'CPU µs', 'p50 ms', 'p99 ms', 'Redis commands']);
const results: object[] = [];
for (const [name, all] of costs) {
  const of = (figure: 'perSecond' | 'cpu' | 'p50' | 'p99') => median(all.map((cost) => cost[figure]));
  const figures = { perSecond: of('perSecond'), cpu: of('cpu'), p50: of('p50'), p99: of('p99') };
  const redis = await commands(WORK[name] ?? {});
  const [perSecond, cpu] = [figures.perSecond.toFixed(0), figures.cpu.toFixed(0)];
  print(name, perSecond, cpu, figures.p50.toFixed(1), figures.p99.toFixed(1), redis.toFixed(1));
  results.push({ name, ...figures, redisCommands: redis });
}
if (values.save) keep('exchange', { ...values, results });
