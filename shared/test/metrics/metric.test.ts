/** Proves that a metric counts what it claims to count, and that no caller can make its set of labels grow. */
import type { Declaration } from '@mcp-oauth/shared/metrics/declaration';
import { metricsTable } from '@mcp-oauth/shared/metrics/declaration';
import { Counter, Gauge, Histogram, LabelledGauge } from '@mcp-oauth/shared/metrics/metric';
import { describe, expect, it } from 'vitest';

const counter = (labels: Declaration['labels'] = {}): Counter =>
  new Counter({ name: 'sample_total', type: 'counter', help: 'A sample.', labels });

const valuesOf = (metric: Counter | Histogram): Record<string, number> =>
  Object.fromEntries(
    metric.samples().map(({ suffix = '', labels, value }) => [`${suffix}${labels.map(([, text]) => text)}`, value]),
  );

describe('a counter', () => {
  it('a counter starts every foreseeable combination at zero, so that the first event is an increase', () => {
    const requests = counter({ method: ['GET', 'POST'], result: ['ok', 'failed'] });
    expect(valuesOf(requests)).toEqual({ 'GET,ok': 0, 'GET,failed': 0, 'POST,ok': 0, 'POST,failed': 0 });
    requests.add('POST', 'ok');
    requests.add('POST', 'ok');
    expect(valuesOf(requests)).toMatchObject({ 'GET,ok': 0, 'POST,ok': 2 });
  });

  it('a counter without labels is one number', () => {
    const faults = counter();
    faults.add();
    expect(valuesOf(faults)).toEqual({ '': 1 });
  });

  it('a counter counts unlisted label values as other, however many come', () => {
    const requests = counter({ method: ['GET', 'other'] });
    for (let n = 0; n < 10_000; n += 1) requests.add(`METHOD-${n}`);
    for (const name of ['__proto__', 'constructor', '', 'get']) requests.add(name);
    expect(valuesOf(requests)).toEqual({ GET: 0, other: 10_004 });
  });

  it('a counter bounds the label values that are not listed', () => {
    const calls = counter({ tool: 'names in the catalog', result: ['ok', 'fault'] });
    expect(calls.samples()).toEqual([]);
    for (let n = 0; n < 10_000; n += 1) calls.add(`tool-${n}`, 'ok');
    expect(calls.samples().length).toBe(501);
    expect(valuesOf(calls)['other,ok']).toBe(9_500);
  });
});

describe('a histogram', () => {
  it('a histogram counts up to each bound, bound included', () => {
    const duration = new Histogram({ name: 'sample_seconds', type: 'histogram', help: 'A sample.' });
    for (const seconds of [0.0004, 0.001, 0.3, 60]) duration.observe(seconds);
    const values = valuesOf(duration);
    expect(values['_bucket0.001']).toBe(2);
    expect(values['_bucket0.25']).toBe(2);
    expect(values['_bucket0.5']).toBe(3);
    expect(values._bucket10).toBe(3);
    expect(values['_bucket+Inf']).toBe(4);
    expect(values._count).toBe(4);
    expect(values._sum).toBeCloseTo(60.3014);
  });
});

describe('a gauge', () => {
  it('a gauge is read when it is scraped, and left out while its value is unknown', async () => {
    let open: number | undefined;
    const gauge = new Gauge({ name: 'sample', type: 'gauge', help: 'A sample.' }, () => open);
    expect(await gauge.samples()).toEqual([]);
    open = 3;
    expect(await gauge.samples()).toEqual([{ labels: [], value: 3 }]);
  });
});

describe('a gauge with a label', () => {
  it('a gauge with a label is read for each of its values, and left out where one is unknown', () => {
    const declared = { name: 'sample', type: 'gauge', help: 'A sample.', labels: { issuer: 'ids' } } as const;
    const gauge = new LabelledGauge(declared, () => [
      ['a', 1],
      ['b', undefined],
    ]);
    expect(gauge.samples()).toEqual([{ labels: [['issuer', 'a']], value: 1 }]);
  });
});

describe('the table of metrics', () => {
  it('the table says which values each label can have', () => {
    const labels = { tool: 'names in the catalog', result: ['ok', 'fault'] };
    expect(metricsTable([{ name: 'calls_total', type: 'counter', help: 'Calls.', labels }])).toContain(
      '| `calls_total` | counter | Calls. | `tool`: names in the catalog<br>`result`: `ok` `fault` |',
    );
  });
});
