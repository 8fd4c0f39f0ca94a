/** Proves that a scrape always gets text that Prometheus can parse, and that the metrics port serves nothing else. */
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Metric } from '@mcp-oauth/shared/metrics/declaration';
import { createExposition } from '@mcp-oauth/shared/metrics/exposition';
import { Counter, constant, Gauge } from '@mcp-oauth/shared/metrics/metric';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { scrape } from '@mcp-oauth/shared/testing/scrape';
import { describe, expect, it } from 'vitest';

const expose = (...metrics: Metric[]) => ({ handler: createExposition(metrics, createLogger('test', 'silent')) });

const gauge = (name: string, read: () => number | Promise<number>) =>
  new Gauge({ name, type: 'gauge', help: 'A sample.' }, read);

describe('GET /metrics', () => {
  it('GET /metrics has the metrics of the service and of its process, each with its help and type', async () => {
    const calls = new Counter({ name: 'calls_total', type: 'counter', help: 'Calls.', labels: { result: ['ok'] } });
    calls.add('ok');
    const { text, values } = await scrape(expose(calls));
    expect(text).toContain('# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{result="ok"} 1\n');
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(values.get('nodejs_eventloop_lag_p99_seconds')).toBeDefined();
    // A gauge that walks over all connections at every scrape.
    expect(text).not.toContain('nodejs_active_');
  });

  it('the value of a label is escaped', async () => {
    const { text } = await scrape(expose(constant({ name: 'info', type: 'gauge', help: 'A\nB' }, { a: 'x"\\\ny' })));
    expect(text).toContain('# HELP info A\\nB\n');
    expect(text).toContain('info{a="x\\"\\\\\\ny"} 1\n');
  });

  it('a metric that cannot be read is left out, and the others are exposed', async () => {
    const broken = gauge('sessions', () => Promise.reject(new Error('the store is away')));
    const { values } = await scrape(
      expose(
        broken,
        gauge('streams', () => 2),
      ),
    );
    expect(values.has('sessions')).toBe(false);
    expect(values.get('streams')).toBe(2);
  });

  it('concurrent scrapes share one reading', async () => {
    let reads = 0;
    const answer = Promise.withResolvers<number>();
    const slow = gauge('slow', () => {
      reads += 1;
      return answer.promise;
    });
    await using server = await serve(expose(slow).handler);
    const asked = Array.from({ length: 20 }, () => fetch(`${server.url}/metrics`));
    const late = fetch(`${server.url}/elsewhere`);
    expect((await late).status).toBe(404);
    answer.resolve(1);
    for (const response of await Promise.all(asked)) expect(await response.text()).toContain('slow 1\n');
    expect(reads).toBeLessThan(20);
  });

  it('the metrics port serves nothing else', async () => {
    await using server = await serve(expose().handler);
    const ask = (path: string, method = 'GET') => fetch(server.url + path, { method });
    for (const path of ['/', '/metrics/', '/metricsx', '/mcp', '/readyz']) expect((await ask(path)).status).toBe(404);
    const refused = await ask('/metrics', 'POST');
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await ask('/metrics', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    const { headers } = await ask('/metrics?x=1');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
