/** Proves that change notifications have the form of the specification (MCP list_changed, resources/updated). */
import { describe, expect, it } from 'vitest';
import { nameOf } from '../../../src/protocol/changes/changes.ts';
import { messageOf } from '../../../src/protocol/changes/notification.ts';

describe('the notification of a change', () => {
  it.each(['tools', 'prompts', 'resources'] as const)(
    'a change of a list names the list of %s and no resource',
    (kind) => {
      const { uri, data } = messageOf(nameOf({ kind }));
      expect(uri).toBeUndefined();
      expect(JSON.parse(data)).toEqual({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
    },
  );

  it('a change of a resource names that resource', () => {
    const { uri, data } = messageOf(nameOf({ kind: 'resource', uri: 'test://a' }));
    expect(uri).toBe('test://a');
    const method = 'notifications/resources/updated';
    expect(JSON.parse(data)).toEqual({ jsonrpc: '2.0', method, params: { uri: 'test://a' } });
  });
});
