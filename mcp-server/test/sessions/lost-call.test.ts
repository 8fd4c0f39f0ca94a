/** Proves what a client is told about calls whose replica is lost (JSON-RPC 2.0 §5.1). */
import { describe, expect, it } from 'vitest';
import { lostAnswers } from '../../src/sessions/lost-call.ts';

const event = (message: object | undefined, index = 1) => ({
  id: `${index}-0`,
  data: message ? JSON.stringify(message) : '',
  last: false,
});

describe('JSON-RPC 2.0 §5.1 calls of a lost replica', () => {
  it('a lost call gets an error that says to send the request again, with the id as the client wrote it', () => {
    const answers = lostAnswers('[1,"1"]', []).map(({ data }) => JSON.parse(data));
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32603, message: expect.stringContaining('send the request again') } },
      { jsonrpc: '2.0', id: '1', error: { code: -32603, message: expect.any(String) } },
    ]);
  });

  it('a call that was answered, by a result or an error, gets no further answer', () => {
    const events = [
      event({ jsonrpc: '2.0', id: 1, result: {} }),
      event({ jsonrpc: '2.0', id: '2', error: { code: 1, message: '' } }),
    ];
    expect(lostAnswers('[1,"2",2]', events)).toEqual([{ place: 3, data: expect.stringContaining('"id":2,') }]);
  });

  it('a notification, a question of the server or an empty event does not count as an answer', () => {
    const events = [
      event(undefined),
      event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }),
      event({ jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: {} }),
    ];
    expect(lostAnswers('[1]', events)).toHaveLength(1);
  });

  it('a stream that answers no request has no lost calls', () => {
    expect(lostAnswers(undefined, [])).toEqual([]);
    expect(lostAnswers('[]', [])).toEqual([]);
  });
});
