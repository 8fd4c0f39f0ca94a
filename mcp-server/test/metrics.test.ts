/** Proves that mcp-server counts what an operator needs, and that no request can put text into a metric. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { scrape } from '@mcp-oauth/shared/testing/scrape';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compose } from '../src/compose/compose.ts';
import { createCatalog } from '../src/protocol/catalog/catalog.ts';
import { defineTool, ToolError } from '../src/protocol/define.ts';
import { signingKey, signToken, startIssuer } from './support/issuer.ts';
import { initialize, request } from './support/protocol-harness.ts';
import { headersOf, request as modernRequest } from './support/stateless-harness.ts';

/** A tool whose arguments control its answer, at once or later. */
const tool = defineTool({
  name: 'obey',
  title: 'Obey',
  description: 'Does as it is told.',
  input: z.object({ what: z.enum(['work', 'work later', 'complain', 'break', 'break later', 'wait']) }),
  run: ({ what }, { signal }) => {
    if (what === 'wait') return once(signal, 'abort').then(() => Promise.reject(signal.reason));
    if (what === 'complain') throw new ToolError('No.');
    if (what === 'break') throw new Error('canary of a fault');
    if (what === 'break later') return Promise.reject(new Error('canary of a fault'));
    return what === 'work' ? { text: 'Done.' } : Promise.resolve({ text: 'Done.' });
  },
});

const log = createLogger('test', 'silent');

async function start(settings: Readonly<Record<string, string>> = { METRICS_PORT: '0' }) {
  let handler: RequestListener = () => {};
  const server = await serve((req, res) => handler(req, res));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const env = { PUBLIC_URL: server.url, ISSUER: issuer.url, NODE_ENV: 'test', ...settings };
  const service = await compose(env, { clock, log, catalog: createCatalog([tool]) });
  handler = service.handler;
  const now = clock.now() / 1000;
  const claims = { iss: issuer.url, aud: `${server.url}/mcp`, sub: 'person-1', client_id: 'client-1' };
  const token = await signToken({ key, claims: { ...claims, scope: 'mcp:tools', iat: now, exp: now + 600 } });
  return {
    issuer,
    clock,
    ask: (path: string, init: RequestInit = {}) =>
      fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
    /** The values other than zero, of MCP alone. */
    counted: async () => {
      const { values } = await scrape(service.metrics);
      return Object.fromEntries([...values].filter(([name, value]) => name.startsWith('mcp_') && value !== 0));
    },
    scrape: () => scrape(service.metrics),
    [Symbol.asyncDispose]: async () => {
      service.drain();
      await server.close();
      await service.close();
      await issuer.close();
    },
  };
}

const post = (message: object, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(message),
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
});

describe('the metrics of mcp-server', () => {
  it('the metrics count tool calls by tool and outcome, in every era', async () => {
    await using mcp = await start();
    const opened = await mcp.ask('/mcp', post(initialize('2025-11-25')));
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    await opened.text();
    const call = async (id: number, what: string) => {
      const params = { name: 'obey', arguments: { what } };
      await (await mcp.ask('/mcp', post(request(id, 'tools/call', params), session))).text();
      const modern = modernRequest('tools/call', params);
      await (await mcp.ask('/mcp', post(modern, headersOf(modern)))).text();
    };
    const words = ['work', 'work later', 'complain', 'break', 'break later', 'dance'];
    for (const [n, what] of words.entries()) await call(n + 1, what);
    await (await mcp.ask('/mcp', post(request(9, 'tools/call', { name: 'canary' }), session))).text();
    await (await mcp.ask('/mcp', post(request(10, 'tools/list'), session))).text();
    expect(await mcp.counted()).toEqual({
      'mcp_tool_calls_total{tool="obey",result="ok"}': 4,
      'mcp_tool_calls_total{tool="obey",result="failed"}': 2,
      'mcp_tool_calls_total{tool="obey",result="fault"}': 4,
      'mcp_tool_calls_total{tool="obey",result="invalid_arguments"}': 2,
      'mcp_requests_total{method="tools/call",result="ok"}': 12,
      'mcp_requests_total{method="tools/call",result="refused"}': 1,
      'mcp_requests_total{method="tools/list",result="ok"}': 1,
      'mcp_token_checks_total{result="verified"}': 1,
      'mcp_token_checks_total{result="known"}': 14,
      mcp_sessions: 1,
      'mcp_issuer_keys_read_timestamp_seconds{issuer="default"}': mcp.clock.now() / 1000,
    });
  });

  it('the metrics distinguish a cancelled call from a failed one', async () => {
    await using mcp = await start();
    const opened = await mcp.ask('/mcp', post(initialize('2025-11-25')));
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const params = { name: 'obey', arguments: { what: 'wait' } };
    const running = () => mcp.counted().then(({ mcp_running_requests: number = 0 }) => number);
    const answered = mcp.ask('/mcp', post(request(1, 'tools/call', params), session));
    const leaving = new AbortController();
    const modern = modernRequest('tools/call', params);
    const left = mcp.ask('/mcp', { ...post(modern, headersOf(modern)), signal: leaving.signal });
    await expect.poll(running).toBe(2);
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    await mcp.ask('/mcp', post(cancelled, session));
    leaving.abort();
    await expect(left).rejects.toThrow('aborted');
    await (await answered).text();
    await expect.poll(running).toBe(0);
    const { values } = await mcp.scrape();
    expect(values.get('mcp_tool_calls_total{tool="obey",result="cancelled"}')).toBe(2);
    expect(values.get('mcp_tool_calls_total{tool="obey",result="fault"}')).toBeUndefined();
  });

  it('the metrics count refused requests by their reason', async () => {
    await using mcp = await start();
    await mcp.ask('/mcp', { headers: { authorization: '' } });
    await mcp.ask('/mcp?access_token=canary');
    for (let n = 0; n < 2; n += 1) await mcp.ask('/mcp', { headers: { authorization: 'Bearer canary' } });
    await mcp.ask('/mcp', { headers: { origin: 'https://canary.example' } });
    await mcp.ask('/mcp', { method: 'PUT' });
    await mcp.ask('/mcp', { ...post({}), body: '{"canary":' });
    await mcp.ask('/mcp', { ...post({}), body: `"${'x'.repeat(1_100_000)}"` });
    const { 'mcp_issuer_keys_read_timestamp_seconds{issuer="default"}': _, ...counted } = await mcp.counted();
    expect(counted).toEqual({
      'mcp_refusals_total{reason="no_token"}': 1,
      'mcp_refusals_total{reason="token_in_query"}': 1,
      'mcp_refusals_total{reason="malformed"}': 2,
      'mcp_refusals_total{reason="wrong_origin"}': 1,
      'mcp_refusals_total{reason="method_not_allowed"}': 1,
      'mcp_refusals_total{reason="invalid_message"}': 1,
      'mcp_refusals_total{reason="body_too_large"}': 1,
      'mcp_token_checks_total{result="refused"}': 2,
      'mcp_token_checks_total{result="verified"}': 1,
      'mcp_token_checks_total{result="known"}': 1,
    });
  });

  it("the metrics count failed fetches of the issuer's keys", async () => {
    await using mcp = await start();
    mcp.issuer.up = false;
    for (let n = 0; n < 3; n += 1) {
      await mcp.ask('/mcp', post(initialize('2025-11-25')));
      mcp.clock.advance(60);
    }
    const counted = await mcp.counted();
    expect(counted, 'each attempt, though the log tells it once').toMatchObject({
      'mcp_issuer_fetch_failures_total{document="keys",issuer="default"}': 3,
      'mcp_refusals_total{reason="keys_unavailable"}': 3,
    });
    expect(Object.keys(counted).join()).not.toContain('mcp_issuer_keys_read_timestamp_seconds');
  });

  it('the metrics show open sessions and streams', async () => {
    await using mcp = await start();
    const opened = await mcp.ask('/mcp', post(initialize('2025-11-25')));
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const stream = await mcp.ask('/mcp', { headers: { ...session, accept: 'text/event-stream' } });
    const listen = modernRequest('subscriptions/listen', { notifications: { toolsListChanged: true } });
    const listening = await mcp.ask('/mcp', post(listen, headersOf(listen)));
    expect(await mcp.counted()).toMatchObject({ mcp_sessions: 1, mcp_streams: 1, mcp_subscriptions: 1 });
    await stream.body?.cancel();
    await listening.body?.cancel();
  });

  it('the metrics contain no value from a request', async () => {
    await using mcp = await start();
    const before = await mcp.scrape();
    for (let n = 0; n < 50; n += 1) {
      await mcp.ask(`/canary-${n}?canary`);
      await mcp.ask('/mcp', { headers: { authorization: `Bearer canary-${n}` } });
      const message = modernRequest('tools/call', { name: `canary-${n}`, arguments: {} });
      await (await mcp.ask('/mcp', post(message, headersOf(message)))).text();
      const unknown = modernRequest(`canary/${n}`, {});
      await (await mcp.ask('/mcp', post(unknown, headersOf(unknown)))).text();
    }
    const after = await mcp.scrape();
    expect(after.text).not.toContain('canary');
    expect(after.values.size - before.values.size).toBeLessThan(10 * 15);
    expect(after.values.get('http_request_duration_seconds_count{route="other",method="GET",status="4xx"}')).toBe(50);
  });

  it('the metrics are off without METRICS_PORT', async () => {
    await using mcp = await start({});
    await expect(mcp.scrape()).rejects.toThrow('this service has no metrics');
  });
});
