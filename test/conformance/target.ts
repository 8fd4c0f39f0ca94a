/**
 * Owns the target of the conformance runner: mcp-server as real processes with the fixture tools mounted, behind a
 * proxy that adds a token, because the runner has none, and leaves every other header unchanged. Several replicas share
 * a real Redis, and each request goes to the next one.
 */
import { fileURLToPath } from 'node:url';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis } from '@mcp-oauth/shared/testing/redis';
import { signingKey, signToken, startIssuer } from '../../mcp-server/test/support/issuer.ts';
import { gateway } from '../support/gateway.ts';
import { Run } from '../support/stack.ts';

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** Seconds; longer than any run. */
const TOKEN_LIFETIME = 3600;

export interface Target extends AsyncDisposable {
  /** The MCP endpoint, which needs no token here. */
  readonly url: string;
  /** The output of the replicas. */
  output(): string;
}

export async function startTarget(replicas: number): Promise<Target> {
  await using starting = new AsyncDisposableStack();
  const issuer = starting.use(await startIssuer());
  const key = await signingKey('conformance');
  issuer.keys.push(key.publicJwk);
  const ports = await freePorts(replicas);
  const authorization = { value: '' };
  const proxy = starting.use(await balancer(ports, authorization));
  const publicUrl = proxy.url.replace('127.0.0.1', 'localhost');
  const url = `${publicUrl}/mcp`;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer.url,
    aud: url,
    sub: 'conformance',
    client_id: 'runner',
    scope: 'mcp:tools',
    iat: now,
    exp: now + TOKEN_LIFETIME,
    jti: 'conformance',
  };
  authorization.value = `Bearer ${await signToken({ key, claims })}`;
  const redis = replicas > 1 ? starting.use(await startRedis()) : undefined;
  const env = {
    PUBLIC_URL: publicUrl,
    ISSUER: issuer.url,
    TOOLS_DIR: FIXTURES,
    LOG_LEVEL: 'info',
    ...(redis && { REDIS_URL: redis.url }),
  };
  const runs = ports.map((port) => new Run({ ...env, PORT: String(port) }, 'mcp-server/src/main.ts'));
  for (const run of runs) starting.defer(async () => void (await run.stop()));
  await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  const started = starting.move();
  return {
    url,
    output: () => runs.map((run) => run.output).join('\n'),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** One address for all replicas; each request goes to the next one. */
function balancer(ports: readonly number[], authorization: { readonly value: string }): Promise<TestServer> {
  let turn = 0;
  return gateway(
    () => ports[turn++ % ports.length],
    () => ({ authorization: authorization.value }),
  );
}
