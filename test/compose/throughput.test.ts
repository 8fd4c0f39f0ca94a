/**
 * Proves which requests pass the gateway, and that a client that leaves ends its call behind it. Owns the figures of tools/call
 * through it, with one to four replicas, with TLS and without, beside one replica without a gateway. The client of the figures uses
 * the addresses of the containers. One row is through the published port, where the proxy of Docker copies each byte.
 */
import { once } from 'node:events';
import { get, type IncomingMessage, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headersOf, meta, request as stateless } from '../../mcp-server/test/support/stateless-harness.ts';
import { post } from '../bench/wire.ts';
import { McpSession, OAuthClient } from '../support/oauth-client.ts';
import type { Stack } from '../support/stack.ts';
import { calls } from './calls.ts';
import { Composed } from './composed.ts';
import { print } from './figures.ts';
import { FILE, writeTlsGateways } from './tls-gateways.ts';

const CONNECTIONS = 24;
/** Milliseconds of one measurement, and of the warm-up before it. */
const MEASURED = 1_500;
const WARM_UP = 300;
/** Alternates between the ways and the counts of replicas, so that other load on the machine affects all of them. */
const ROUNDS = 2;

const ACCEPT = 'application/json, text/event-stream';

const ALONE = 'one replica, no gateway';
const BARE = 'bare node:http, TLS';

const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'sum', arguments: { a: 1, b: 2 } },
});

/** Bytes of the largest message by default (MAX_MESSAGE_BYTES). */
const LARGEST = 1_048_576;

describe('the gateway', () => {
  const composed = new Composed('mcp-oauth-throughput', { COMPOSE_FILE: `docker-compose.yml:${FILE}` });
  let session: McpSession;

  beforeAll(async () => {
    await writeTlsGateways(composed);
    await composed.sh('docker compose up -d --build --wait');
    const client = await OAuthClient.register({ authUrl: composed.url, mcpUrl: composed.url } as Stack);
    session = await McpSession.open(`${composed.url}/mcp`, (await client.tokens()).access_token);
  }, 300_000);
  afterAll(() => composed[Symbol.asyncDispose](), 120_000);

  it('a header of 32 KiB and a body of 1 MiB pass the gateway; the services refuse what is larger', async () => {
    const list = (pad: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { pad } } });
    const room = LARGEST - JSON.stringify(list('')).length;
    expect((await session.post(list('a'.repeat(room)))).json).toHaveProperty('result.tools');
    expect((await session.post(list('a'.repeat(room + 1)))).status, 'RFC 9110 §15.5.14').toBe(413);
    const bearer = (length: number) => session.post(list(''), { authorization: `Bearer ${'a'.repeat(length)}` });
    expect((await bearer(32_768)).json).toMatchObject({ error: 'invalid_token' });
    expect((await bearer(50_000)).status, 'RFC 6585 §5').toBe(431);
  });

  it('RFC 9112 §3.2.2 operator endpoints are hidden from a target in absolute form, which services resolve', async () => {
    const { hostname, port, host } = new URL(composed.url);
    for (const path of ['/readyz', '/mcp/../readyz', '/mcp/%2e%2e/livez', '/x/./../metrics']) {
      const asked = get({ hostname, port, path: `http://${host}${path}`, agent: false });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode, path).toBe(404);
    }
  });

  it('RFC 9110 §9.3.6 CONNECT is refused with an answer', async () => {
    const { hostname, port, host } = new URL(composed.url);
    const asked = request({ hostname, port, method: 'CONNECT', path: host, headers: { host }, agent: false }).end();
    const [answer] = (await once(asked, 'connect')) as [IncomingMessage];
    expect(answer.statusCode).toBe(405);
  });

  it('MCP 2026-07-28 basic/patterns/cancellation a client that leaves cancels its call behind the gateway', async () => {
    const message = stateless('tools/call', {
      name: 'countdown',
      // The next event, at which a gateway notices anyway, comes after 5 s.
      arguments: { from: 60, interval_ms: 5_000 },
      _meta: meta({ progressToken: 1 }),
    });
    const headers = headersOf(message, { authorization: session.headers.authorization });
    const call = request(`${composed.url}/mcp`, { method: 'POST', headers, agent: false }).end(JSON.stringify(message));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    answer.on('error', () => {});
    call.on('error', () => {}).destroy();
    const ended = () => composed.compose('logs', '--no-log-prefix', 'mcp-server');
    await expect.poll(ended, { timeout: 4_000, interval: 250 }).toContain(String(answer.headers['x-request-id']));
  });

  it('a request whose client leaves while no replica is there is ended by the gateway, and no replica gets it', async () => {
    const logs = (service: string) => composed.compose('logs', '--no-log-prefix', service);
    await composed.compose('kill', 'mcp-server');
    const headers = { ...session.headers, accept: ACCEPT, 'content-type': 'application/json' };
    const call = request(`${composed.url}/mcp`, { method: 'POST', headers, agent: false }).on('error', () => {});
    call.end(CALL, () => call.destroy());
    await expect
      .poll(() => logs('gateway'), { timeout: 10_000, interval: 250 })
      .toMatch(/"path": "\/mcp", .*"ended": "C/);
    await composed.compose('start', 'mcp-server');
    expect((await session.post({ jsonrpc: '2.0', id: 2, method: 'tools/list' })).json).toHaveProperty('result.tools');
    expect(await logs('mcp-server')).not.toContain('"tool":"sum"');
  });

  it('the throughput of tools/call is measured with 1 to 4 replicas, with TLS and without, and without a gateway', async () => {
    const at = async (service: string) => `http://${await composed.addressOf(service)}:8080`;
    const secure = async (service: string) => `https://${await composed.addressOf(service)}:8443`;
    const headers = { ...session.headers, Host: new URL(composed.url).host, Accept: ACCEPT };
    const message = post({ path: '/mcp', headers, body: CALL });
    const measured = new Map<string, number[]>();
    const measure = async (what: string, origin: string) => {
      const load = { origin, message, connections: CONNECTIONS };
      await calls({ ...load, milliseconds: WARM_UP });
      measured.set(what, [...(measured.get(what) ?? []), ...(await calls({ ...load, milliseconds: MEASURED }))]);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const replicas of [1, 2, 3, 4]) {
        await composed.sh(`docker compose up -d --wait --scale mcp-server=${replicas}`);
        if (replicas === 1) {
          await measure(ALONE, await at('mcp-server'));
          await measure('1 replica, published port', composed.url);
          await measure(BARE, await secure('gateway-bare'));
        }
        const what = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
        await measure(what, await at('gateway'));
        await measure(`${what}, TLS`, await secure('gateway-tls'));
      }
    }
    const total = (what: string) => measured.get(what)?.length ?? 0;
    for (const [what, each] of measured) {
      const taken = each.sort((a, b) => a - b);
      const within = (share: number) => `${taken[Math.floor(taken.length * share)]?.toFixed(1)} ms`;
      const perSecond = taken.length / ((MEASURED * ROUNDS) / 1000);
      const ratio = `${(taken.length / total(ALONE)).toFixed(2)} of the replica alone`;
      const secured = what.endsWith(', TLS') ? `, ${(taken.length / total(BARE)).toFixed(2)} of ${BARE}` : '';
      print(what, `${perSecond.toFixed(0)} calls/s, p50 ${within(0.5)}, p95 ${within(0.95)}, ${ratio}${secured}`);
      expect(perSecond).toBeGreaterThan(0);
    }
    print(
      '',
      `${availableParallelism()} processors for the ${CONNECTIONS} clients, the gateway, Redis and all replicas together: where they are busy with one, more can't be faster`,
    );
  });
});
