/**
 * Proves that a message is accepted or refused exactly as by the SDK's server, except for absent members (JSON-RPC 2.0
 * §4).
 */
import { JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agreement, type Incoming, readMessages, unreadable } from '../../../src/protocol/sessionful/json-rpc.ts';
import { dropAbsent } from '../../../src/protocol/wire/absent.ts';

const odd = fc.oneof(fc.constant(undefined), fc.jsonValue(), fc.integer(), fc.string(), fc.constant(1e300));
const task = fc.oneof(fc.record({ taskId: odd }), odd);
const meta = fc.record(
  { progressToken: odd, 'io.modelcontextprotocol/related-task': task, other: odd },
  { requiredKeys: [] },
);
const params = fc.oneof(odd, fc.record({ name: odd, _meta: fc.oneof(meta, odd) }, { requiredKeys: [] }));
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, odd),
    id: fc.oneof(fc.integer(), fc.string(), odd),
    method: fc.oneof({ weight: 5, arbitrary: fc.string() }, odd),
    params,
    result: fc.oneof(fc.object(), odd),
    error: fc.oneof(fc.record({ code: odd, message: odd }), odd),
    more: odd,
  },
  { requiredKeys: ['jsonrpc'] },
);

it('JSON-RPC 2.0 §4 a value is accepted as a message exactly when the SDK accepts it', () => {
  fc.assert(
    fc.property(message, (sent) => {
      // As it arrives: through JSON.
      const value: unknown = JSON.parse(JSON.stringify(sent));
      const plain = structuredClone(value);
      dropAbsent(plain);
      const taken = readMessages(value, 100) !== undefined;
      expect(taken).toBe(JSONRPCMessageSchema.safeParse(plain).success);
      if (!taken) expect(unreadable(value).flaw).not.toBe('');
    }),
    { numRuns: 5_000 },
  );
});

const initialize = (params: unknown): Incoming => {
  const incoming = readMessages({ jsonrpc: '2.0', id: 1, method: 'initialize', params }, 100);
  if (typeof incoming !== 'object') throw new TypeError('not a message');
  return incoming;
};

it('MCP lifecycle, "Initialization": equal parameters give equal agreements, and what differs is never mixed up', () => {
  const clientInfo = { name: 'client', version: '1' };
  for (const protocolVersion of ['2025-11-25', '2025-03-26', '2099-01-01']) {
    for (const capabilities of [{}, { roots: {} }]) {
      const params = { protocolVersion, capabilities, clientInfo };
      const expected = { protocolVersion: protocolVersion.replace('2099-01-01', '2025-11-25'), params };
      for (const round of [1, 2]) expect(agreement(initialize(params)), `round ${round}`).toEqual(expected);
    }
  }
  for (const flawed of [
    { capabilities: {}, clientInfo },
    { protocolVersion: 1, capabilities: {}, clientInfo },
  ]) {
    for (const round of [1, 2]) expect(agreement(initialize(flawed)), `round ${round}`).toHaveProperty('flaw');
  }
});
