/**
 * Proves that Prometheus accepts its configuration, that alerts fire when they should, and that their metrics exist.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { declarations as authServer } from '../auth-server/src/metrics.ts';
import { declarations as mcpServer } from '../mcp-server/src/metrics.ts';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd, encoding: 'utf8' });
const hasPromtool = promtool('--version').status === 0;
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Metrics of Prometheus itself, and of the process of a service. */
const COMMON = /^(up|nodejs_\w+|process_\w+)$/;

describe('promtool', () => {
  beforeEach((context) => context.skip(!hasPromtool, 'needs promtool: apt-get install prometheus'));

  it('promtool accepts the configuration and its alerts', () => {
    const { status, stdout, stderr } = promtool('check', 'config', 'deploy/prometheus/prometheus.yml');
    expect([status, stderr], stdout).toEqual([0, '']);
  });

  it('the alerts fire when they should, and only then', () => {
    const { status, stdout, stderr } = promtool('test', 'rules', 'deploy/prometheus/alerts.test.yml');
    expect(status, stdout + stderr).toBe(0);
  });
});

describe('deploy/compose/observability.yml', () => {
  beforeEach((context) => context.skip(!hasCompose, 'needs the docker compose plugin: see .ci/compose-plugin.sh'));

  it('Prometheus reads every replica at its metrics port, and publishes its own port on loopback only', () => {
    const files = ['docker-compose.yml', 'deploy/compose/observability.yml'].flatMap((file) => ['-f', file]);
    const { stdout } = spawnSync('docker', ['compose', ...files, 'config', '--format', 'json'], {
      cwd,
      encoding: 'utf8',
    });
    const { services } = JSON.parse(stdout);
    const scraped = [...read('deploy/prometheus/prometheus.yml').matchAll(/names: \[([\w-]+)\].* port: (\d+)/g)];
    expect(scraped.map(([, name = '']) => name)).toEqual(['mcp-server', 'auth-server']);
    for (const [, name = '', port] of scraped) {
      expect(services[name].environment.METRICS_PORT).toBe(port);
      expect(services[name].ports).toBeUndefined();
    }
    expect(services.prometheus.ports).toMatchObject([{ host_ip: '127.0.0.1', target: 9090 }]);
    expect(services.prometheus).toMatchObject({ read_only: true, cap_drop: ['ALL'], user: '65534:65534' });
  });
});

describe('alerts and the queries of docs/metrics.md', () => {
  const labels = new Map(
    [...authServer, ...mcpServer].map(
      ({ name, labels = {} }) => [name, { ...labels }] as [string, Record<string, unknown>],
    ),
  );
  const alerts = read('deploy/prometheus/alerts.yml');
  const page = read('docs/metrics.md');
  const expressions = [
    ...[...alerts.matchAll(/^ +expr: (.*(?:\n {10}.*)*)/gm)].map(([, expression = '']) => expression),
    ...[...page.matchAll(/^\| [^`|]+ \| (`[^|]+`) \|$/gm)].map(([, expression = '']) => expression),
  ];

  it('the alerts and queries are found', () => expect(expressions.length).toBeGreaterThan(15));

  it.each(expressions)('the metrics and labels exist in: %s', (expression) => {
    const asked = [
      ...expression.matchAll(/\b((?:mcp|auth|http|redis|nodejs|process|build)_\w+|up)\b(?:\{([^}]*)\})?/g),
    ];
    expect(asked).not.toEqual([]);
    for (const [, name = '', matchers = ''] of asked) {
      if (COMMON.test(name)) continue;
      const declared = labels.get(name.replace(/(?<=_seconds)_(bucket|count|sum)$/, ''));
      expect(declared, name).toBeDefined();
      for (const [, label = '', wanted = ''] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
        const values = declared?.[label];
        expect(values, `${name}{${label}}`).toBeDefined();
        if (Array.isArray(values)) for (const value of wanted.split('|')) expect(values, label).toContain(value);
      }
    }
  });

  it('docs/metrics.md names each alert, and each alert has an action', () => {
    const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    expect(names.length).toBe([...alerts.matchAll(/^ {10}action: .{40,}/gm)].length);
    for (const name of names) expect(page).toContain(`| \`${name}\` |`);
  });
});
