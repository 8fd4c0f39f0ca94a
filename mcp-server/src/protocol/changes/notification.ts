/** Owns the notification of a change (MCP list_changed and resources/updated notifications). */
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { ChangeMessage } from '../../sessions/change-feed.ts';
import { type Change, parseChange } from './changes.ts';

interface Notification {
  readonly method: string;
  readonly params?: { readonly uri: string };
}

/** The common part of both eras; each adds the members that its revisions need. */
export const notificationOf = (change: Change): Notification =>
  change.kind === 'resource'
    ? { method: 'notifications/resources/updated', params: { uri: change.uri } }
    : { method: `notifications/${change.kind}/list_changed` };

/** The notification for a session's stream. @param name of the change in messages between replicas */
export function messageOf(name: string): ChangeMessage {
  const change = parseChange(name);
  const data = jsonText({ jsonrpc: '2.0', ...notificationOf(change) });
  return change.kind === 'resource' ? { uri: change.uri, data } : { data };
}
