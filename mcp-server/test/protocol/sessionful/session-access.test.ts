/**
 * Proves one rule for the id of an ended session (MCP 2025-11-25 basic/transports, "Session Management", 3 and 4):
 * every request with it is answered 404, except `initialize`, the client's next step, which opens a session.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SESSION_REVISIONS } from '../../../src/protocol/revisions.ts';
import {
  initialize,
  json,
  openSession,
  request,
  send,
  startMcp,
  type TestMcp,
} from '../../support/protocol-harness.ts';

let mcp: TestMcp;
beforeAll(async () => {
  mcp = await startMcp();
});
afterAll(() => mcp[Symbol.asyncDispose]());

async function goneSession(revision: string): Promise<string> {
  const session = await openSession(mcp.url, 'ada', revision);
  expect((await send(mcp.url, undefined, { method: 'DELETE', session })).status).toBe(204);
  return session;
}

describe.each(['/mcp', '/sse'])('the id of an ended session, at %s', (path) => {
  it.each(SESSION_REVISIONS)(
    'an initialize of %s with the id of an ended session opens a new session',
    async (revision) => {
      for (const session of [await goneSession(revision), 'never-was']) {
        const answer = await send(mcp.url, initialize(revision), { session, path });
        expect([answer.status, await json(answer)]).toMatchObject([200, { id: 'init', result: {} }]);
        const id = answer.headers.get('mcp-session-id') ?? '';
        expect(id).toMatch(/^[\w-]{32}$/);
        expect(id).not.toBe(session);
        expect((await send(mcp.url, request(1, 'ping'), { session: id, path })).status).toBe(200);
      }
    },
  );

  it.each(SESSION_REVISIONS)(
    'any other request of %s with the id of an ended session is answered with 404',
    async (revision) => {
      const session = await goneSession(revision);
      const headers = { 'MCP-Protocol-Version': revision };
      for (const message of [
        request(1, 'ping'),
        request(1, 'tools/list'),
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { jsonrpc: '2.0', id: 'a.1', result: {} },
      ]) {
        expect((await send(mcp.url, message, { session, path, headers })).status).toBe(404);
      }
      for (const method of ['GET', 'DELETE']) {
        const answer = await send(mcp.url, undefined, { method, session, path, headers });
        expect([answer.status, await json(answer)]).toMatchObject([404, { error: { code: -32001 } }]);
      }
    },
  );
});

it("an initialize with the id of another owner's session opens a separate session, and is logged", async () => {
  const session = await openSession(mcp.url);
  const answer = await send(mcp.url, initialize(), { session, as: 'bob' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('mcp-session-id')).not.toBe(session);
  expect(mcp.lines.some((line) => line.includes('"security":true') && line.includes('"subject":"bob"'))).toBe(true);
  expect((await send(mcp.url, request(1, 'ping'), { session })).status).toBe(200);
});

it('an initialize in an open session is refused', async () => {
  const session = await openSession(mcp.url);
  expect((await send(mcp.url, initialize(), { session })).status).toBe(400);
  expect((await send(mcp.url, request(1, 'ping'), { session })).status).toBe(200);
});

it('an initialize for an ended HTTP+SSE session is refused, because no stream could carry its answer', async () => {
  const answer = await send(mcp.url, initialize('2024-11-05'), { path: '/messages?sessionId=never-was' });
  expect([answer.status, await json(answer)]).toMatchObject([404, { error: { code: -32001 } }]);
});

describe('JSON-RPC 2.0 §5: an error has the id of the refused request', () => {
  const ping = request(7, 'ping');
  it.each([
    ['for an ended session', ping, { session: 'never-was' }, 404, 7],
    ['without a session id', ping, {}, 400, 7],
    ['for an unknown revision', ping, { headers: { 'MCP-Protocol-Version': '1999-01-01' } }, 400, 7],
    ['for a media type that is not served', ping, { headers: { Accept: 'text/html' } }, 406, 7],
    ['over HTTP+SSE', ping, { path: '/messages?sessionId=never-was' }, 404, 7],
    ['but not of a batch', [ping], { session: 'never-was' }, 404, null],
    ['but not of an answer', { jsonrpc: '2.0', id: 7, result: {} }, { session: 'never-was' }, 404, null],
    ['but not of a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, {}, 400, null],
  ] as const)('an error has the id of the refused request: %s', async (_, message, options, status, id) => {
    const answer = await send(mcp.url, message, options);
    expect([answer.status, (await json(answer)).id]).toEqual([status, id]);
  });

  it('a second initialize in a session is refused with its id', async () => {
    const session = await openSession(mcp.url);
    expect(await json(await send(mcp.url, initialize(), { session }))).toMatchObject({ id: 'init' });
  });
});
