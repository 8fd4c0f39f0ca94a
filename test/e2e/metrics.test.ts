/**
 * Proves where a process serves its metrics: on a port of their own, from its first request to its end, and nowhere
 * else.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Run } from '../support/stack.ts';

const PROGRAMS = [
  ['mcp-server', { ISSUER: 'http://localhost:1' }],
  ['auth-server', {}],
] as const;

async function start(name: string, more: NodeJS.ProcessEnv) {
  const [port = 0, metrics = 0] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-metrics-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const url = `http://localhost:${port}`;
  const env = {
    PUBLIC_URL: url,
    ...(name === 'auth-server' && { ISSUER: url }),
    PORT: String(port),
    DATA_DIR: folder,
  };
  const run = new Run({ ...env, METRICS_PORT: String(metrics), ...more }, `${name}/src/main.ts`);
  return { run, port, url, metrics: `http://localhost:${metrics}/metrics` };
}

describe.each(PROGRAMS)('the metrics of %s', (name, env) => {
  it('the metrics have their own port, and are served until the process ends', async () => {
    const { run, port, url, metrics } = await start(name, { ...env, SHUTDOWN_LINGER: '50s', SHUTDOWN_TIMEOUT: '50s' });
    await run.says('"ready"');
    expect((await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).status).toBe(404);
    // A client that is still connected keeps a stopping service from ending.
    const socket = connect(port, 'localhost');
    await once(socket, 'connect');
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    const stopped = run.stop();
    await run.says('"stopping"');
    const text = await (await fetch(metrics)).text();
    expect(text).toContain('http_request_duration_seconds_count{route="/livez",method="GET",status="2xx"} 1\n');
    socket.destroy();
    expect((await stopped).code).toBe(0);
    await expect(fetch(metrics)).rejects.toThrow('fetch failed');
  });

  it('a metrics port that is in use ends the start', async () => {
    const [taken = 0] = await freePorts(1);
    const { run } = await start(name, { ...env, PORT: String(taken), METRICS_PORT: String(taken) });
    const { code, output } = await run.ended;
    expect(code).toBe(1);
    expect(output).toContain(`${name}: port ${taken} on 127.0.0.1 is already in use`);
  });
});
