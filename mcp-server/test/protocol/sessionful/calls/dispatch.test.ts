/** Proves that a batch whose parts fail at the same time ends no process (JSON-RPC 2.0 §6). */
import { createLogger } from '@mcp-oauth/shared/logger';
import { expect, it } from 'vitest';
import { createDispatch } from '../../../../src/protocol/sessionful/calls/dispatch.ts';
import type { Multiplexer } from '../../../../src/protocol/sessionful/calls/multiplexer.ts';
import type { Run } from '../../../../src/protocol/sessionful/calls/outlet.ts';

it('JSON-RPC 2.0 §6: two parts of a batch that fail are one failure, and end no process', async () => {
  const request = { jsonrpc: '2.0', id: 1, method: 'tools/call' } as const;
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } } as const;
  const failing = {
    queue: () => {},
    unqueue: () => true,
    run: () => {
      throw new TypeError('a bug');
    },
    cancel: () => false,
  };
  const away = () => Promise.reject(new Error('away'));
  const dispatch = createDispatch({
    multiplexer: failing as unknown as Multiplexer,
    bus: { send: away, broadcast: away },
    log: createLogger('test', 'silent'),
  });
  const origin = { session: { id: 's' }, outlet: {} } as unknown as Omit<Run, 'id'>;
  const incoming = { messages: [request, cancelled], requests: [request], batch: true };
  await expect(dispatch(incoming, origin)).rejects.toThrow('a bug');
});
