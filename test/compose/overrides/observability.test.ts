/**
 * Proves on a real engine that Prometheus scrapes every replica and follows scaling; `test/prometheus.test.ts` tests
 * the alerts.
 */
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Composed } from '../composed.ts';
import { BUILDING, ENDING, filesOf, UP } from './set-up.ts';

const { PROMETHEUS_PORT = '9090' } = process.env;

interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
  };
}

/** Prometheus' answer to a query: the values by job. */
async function ask(query: string): Promise<Record<string, number>> {
  const url = new URL('/api/v1/query', `http://localhost:${PROMETHEUS_PORT}`);
  url.searchParams.set('query', query);
  const { data } = (await (await fetch(url)).json()) as Answer;
  return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job ?? '', Number(value[1])]));
}

/** Prometheus scrapes and evaluates rules every 15 s. */
const settles = (query: string) =>
  expect.poll(() => ask(query).catch(() => ({})), { timeout: 150_000, interval: 1_000 });

describe('deploy/compose/observability.yml', () => {
  const env = { PROMETHEUS_PORT, COMPOSE_FILE: filesOf('observability') };
  const composed = new Composed('mcp-oauth-observability', env);
  const scale = (mcp: number) => composed.sh(`${UP} --no-recreate --scale mcp-server=${mcp} --scale auth-server=2`);

  beforeAll(() => scale(3), BUILDING);
  afterAll(() => composed[Symbol.asyncDispose](), ENDING);

  it('Prometheus reads every replica, and each replica reaches its Redis', async () => {
    await settles('sum by (job) (up)').toEqual({ 'mcp-server': 3, 'auth-server': 2 });
    await settles('sum by (job) (redis_up)').toEqual({ 'mcp-server': 3, 'auth-server': 2 });
  });

  it('the metrics are not readable through the gateway, in any spelling', async () => {
    for (const path of ['/metrics', '/metrics/', '//metrics', '/Metrics', '/%6detrics', '/mcp/..%2fmetrics']) {
      expect((await fetch(composed.url + path)).status, path).toBe(404);
    }
  });

  it('requests through the gateway are counted', async () => {
    for (let n = 0; n < 10; n += 1) expect((await fetch(`${composed.url}/mcp`)).status).toBe(401);
    await settles('sum by (job) (mcp_refusals_total{reason="no_token"})').toEqual({ 'mcp-server': 10 });
  });

  it('Prometheus follows the number of replicas', async () => {
    await scale(1);
    await settles('count by (job) (up)').toEqual({ 'mcp-server': 1, 'auth-server': 2 });
  });
});
