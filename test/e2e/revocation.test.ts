/**
 * Proves with real processes that an approval which is ended while fifty connections call ends everywhere within STATUS_MAX_AGE, and that
 * no call of the others fails: two auth-servers and three mcp-servers on one Redis, and one of each without Redis. The figures are printed.
 */
import { randomBytes } from 'node:crypto';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { McpSession, OAuthClient, type Tokens } from '../support/oauth-client.ts';
import { roundRobin } from '../support/round-robin.ts';
import { Run, Stack } from '../support/stack.ts';
import { endUnderLoad, type Report } from './under-load.ts';
import { upstreamProvider } from './upstream-provider.ts';

/** Milliseconds: the default of STATUS_MAX_AGE. */
const MAX_AGE = 5_000;
const FIFTY = { approvals: 10, connections: 5 };
const LIMITS = { REGISTRATION_LIMIT: '100000', AUTHORIZATION_LIMIT: '100000', FAILURE_LIMIT: '100000' };

/** RFC 7009 §2.1: a client ends its approval. */
async function revoke(client: OAuthClient, { refresh_token: token }: Tokens): Promise<void> {
  const { status, text } = await client.post('/revoke', { token, token_type_hint: 'refresh_token' });
  if (status !== 200) throw new Error(`/revoke answered ${status}: ${text}`);
}

function judge(where: string, report: Report): void {
  const { lastSuccess, firstRefusal, streamClosed, callAborted, others } = report;
  const ms = (value: number): string => `${Math.round(value)} ms`;
  process.stdout.write(
    `${where}: the ended succeeded last after ${ms(lastSuccess)} and were refused first after ${ms(firstRefusal)}; stream closed after ${ms(streamClosed)}, call aborted after ${ms(callAborted)}; ${others.calls} calls of others, ${others.failures.length} failed\n`,
  );
  expect(others).toEqual({ calls: expect.any(Number), failures: [], isStreamOpen: true });
  expect(others.calls).toBeGreaterThan(0);
  for (const end of [lastSuccess, streamClosed, callAborted]) expect(end).toBeLessThan(MAX_AGE);
  // A replica that has not read the mark yet says that the session is gone, as another one has ended it.
  expect([401, 404]).toEqual(expect.arrayContaining([...report.refusedWith]));
  expect(report.refusedWith).toContain(401);
  expect(report.sessionForNewApproval).toBe(404);
}

/** Two auth-servers and three mcp-servers on one Redis, each kind behind a balancer that alternates them for each request. */
async function startReplicas() {
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(await startRedis());
  const upstream = starting.use(await upstreamProvider(['Alice', 'Bob']));
  const [authPorts, mcpPorts] = [await freePorts(2), await freePorts(3)];
  const [auth, mcp] = [await roundRobin(authPorts), await roundRobin(mcpPorts)];
  starting.defer(() => auth.close());
  starting.defer(() => mcp.close());
  const named = (url: string): string => url.replace('127.0.0.1', 'localhost');
  const stack = { authUrl: named(auth.url), mcpUrl: named(mcp.url) } as Stack;
  const env = { ISSUER: stack.authUrl, REDIS_URL: redis.url, ...LIMITS };
  const ofAuth = {
    ...env,
    RESOURCES: stack.mcpUrl,
    STORAGE_KEYS: randomBytes(32).toString('base64'),
    ...upstream.env,
  };
  const runs = [
    ...authPorts.map((port) => new Run({ ...ofAuth, PORT: String(port) }, 'auth-server/src/main.ts')),
    ...mcpPorts.map(
      (port) => new Run({ ...env, PUBLIC_URL: stack.mcpUrl, PORT: String(port) }, 'mcp-server/src/main.ts'),
    ),
  ];
  starting.defer(async () => {
    await Promise.all(runs.map((run) => run.stop()));
  });
  await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  const started = starting.move();
  return { stack, runs, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

describe('an approval that is ended while fifty connections call', () => {
  it.skipIf(!hasRedis)(
    hasRedis
      ? 'RFC 7009 §2.1 with two auth-servers and three mcp-servers on one Redis, it ends at all of them within STATUS_MAX_AGE'
      : NEEDS_REDIS,
    async () => {
      await using started = await startReplicas();
      judge('two auth-servers, three mcp-servers, Redis', await endUnderLoad(started.stack, FIFTY, revoke));
    },
  );

  it('RFC 7009 §2.1 with one of each and no Redis, it ends within STATUS_MAX_AGE', async () => {
    await using stack = await Stack.start(LIMITS);
    judge('one of each, SQLite and memory', await endUnderLoad(stack, FIFTY, revoke));
  });
});

describe('keys end', () => {
  it('RFC 7517 §5 the tokens and streams of a leaked key end long before JWKS_MAX_AGE, and clients go on with new tokens', async () => {
    await using stack = await Stack.start({ ...LIMITS, KEY_POLL: '1s', JWKS_MAX_AGE: '1h' });
    const client = await OAuthClient.register(stack);
    const tokens = await client.tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, tokens.access_token);
    const statusWith = async (token: string) =>
      (await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { authorization: `Bearer ${token}` })).status;
    expect(await statusWith(tokens.access_token)).toBe(200);
    const stream = await fetch(session.url, { headers: { ...session.headers, accept: 'text/event-stream' } });
    const { kid = '' } = decodeProtectedHeader(tokens.access_token);
    const env = { DATA_DIR: stack.dataDir, ISSUER: stack.authUrl };
    const { code, output } = await new Run(env, `auth-server/src/main.ts keys end -- ${kid}`).ended;
    expect([code, output]).toEqual([0, expect.stringContaining(`Ended ${kid}`)]);
    const ended = performance.now();
    await expect.poll(() => statusWith(tokens.access_token)).toBe(401);
    await stream.text();
    process.stdout.write(
      `keys end: refused, and its stream closed, after ${Math.round(performance.now() - ended)} ms\n`,
    );
    const { json } = await client.refresh(tokens.refresh_token);
    expect(await statusWith(String(json.access_token))).toBe(200);
  });
});
