/**
 * Proves that requests of 2026-07-28 are accepted and refused as by the SDK's own handler: random requests, with every
 * combination of valid and invalid parts, get the same status and the same code.
 */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  INVALID_REQUEST,
  isLegacyRequest,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  Server,
} from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStateless, type TestStateless } from '../../support/stateless-harness.ts';

const NAME = 'grüße';
const ENCODED = `=?base64?${Buffer.from(NAME).toString('base64')}?=`;

const handler = createMcpHandler(
  () => {
    const server = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {}, prompts: {} } });
    server.setRequestHandler('tools/call', () => ({ content: [] }));
    server.setRequestHandler('tools/list', () => ({ tools: [] }));
    return server;
  },
  { legacy: 'reject' },
);

let own: TestStateless;
beforeAll(async () => {
  const tool = { run: () => ({ content: [] }) };
  own = await startStateless({ tools: { echo: tool, [NAME]: tool } });
});
afterAll(() => own[Symbol.asyncDispose]());

/** Mostly valid values, so that every check is reached. */
const mostly = <T>(right: T, ...wrong: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

const absent = Symbol('absent');
const present = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== absent));

const meta = fc
  .record({
    [PROTOCOL_VERSION_META_KEY]: mostly('2026-07-28', absent, 7, null, 'v999.0.0', '2025-11-25', '1900-01-01'),
    [CLIENT_CAPABILITIES_META_KEY]: mostly({}, absent, null, 'all', { sampling: {} }),
    [CLIENT_INFO_META_KEY]: mostly({ name: 'c', version: '1' }, absent),
    [LOG_LEVEL_META_KEY]: mostly(absent, 'info', 'loud'),
    progressToken: mostly(absent, 1, 'p'),
  })
  .map(present);

/**
 * Leaves out a `_meta` that is not an object: the SDK calls the whole message malformed, the specification its
 * parameters invalid.
 */
const params = fc
  .record({
    name: mostly('echo', NAME),
    arguments: fc.constant({}),
    _meta: fc.oneof({ weight: 8, arbitrary: meta }, fc.constant(absent)),
  })
  .map(present);

/** Leaves out `initialize`, which belongs to the sessions unless every part of it says otherwise. */
const message = fc
  .record({
    jsonrpc: mostly('2.0', absent, '1.0'),
    id: mostly(7, 'seven', absent, null, 1.5, {}),
    method: mostly('tools/call', 'tools/list', 'server/discover', 'ping', 'no/such'),
    params: fc.oneof({ weight: 12, arbitrary: params }, fc.constantFrom(absent, [], null)),
  })
  .map(present);

const version = mostly('2026-07-28', absent, 'v999.0.0', '2025-11-25');
const methodHeader = mostly('right', absent, 'tools/list', 'TOOLS/CALL');
const nameHeader = mostly('right', absent, 'sum', '=?base64?ZWNob?=', ENCODED);

const request = fc.record({ message, version, methodHeader, nameHeader });

function headersOf({
  message: sent,
  version: revision,
  methodHeader: method,
  nameHeader: name,
}: Record<string, unknown>) {
  const { method: called, params } = sent as { method: string; params?: { name?: string } };
  const own = params?.name === NAME ? ENCODED : params?.name;
  return present({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': revision,
    'mcp-method': method === 'right' ? called : method,
    'mcp-name': name === 'right' ? (own ?? absent) : name,
  }) as Record<string, string>;
}

const outcome = async (response: Response) => {
  const text = await response.text();
  return { status: response.status, code: text ? JSON.parse(text).error?.code : undefined };
};

describe('MCP 2026-07-28 Streamable HTTP: comparison with the SDK', () => {
  it('our answer equals that of the SDK, for any request', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (given) => {
        const init = { method: 'POST', headers: headersOf(given), body: JSON.stringify(given.message) };
        const canonical = await handler.fetch(new Request('http://localhost/mcp', init));
        const legacy = await isLegacyRequest(new Request('http://localhost/mcp', init));
        const ours = await fetch(own.url, init);
        const expected = await outcome(canonical);
        // A value that is not a message belongs to no era; the other era refuses it in the same way.
        if (legacy || (ours.status === 421 && expected.code === INVALID_REQUEST)) expect(ours.status).toBe(421);
        // Members without a value are read as absent here, where the SDK refuses them.
        else if (!('id' in given.message) && ours.status === 202) expect([202, 400]).toContain(expected.status);
        else if ('id' in given.message) expect(await outcome(ours)).toEqual(expected);
        else expect(ours.status).toBe(expected.status);
      }),
      { numRuns: 1_000 },
    );
  });
});
