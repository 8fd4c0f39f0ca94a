/**
 * Proves that a message is accepted or refused exactly as by the SDK's server, except for absent members (JSON-RPC 2.0
 * §4).
 */
import { JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readMessages, unreadable } from '../../../src/protocol/sessionful/json-rpc.ts';
import { dropAbsent } from '../../../src/protocol/wire/absent.ts';

const odd = fc.oneof(fc.constant(undefined), fc.jsonValue(), fc.integer(), fc.string(), fc.constant(1e300));
const meta = fc.record({ progressToken: odd, other: odd }, { requiredKeys: [] });
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
