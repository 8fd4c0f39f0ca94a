/** Owns the notification that tells clients of a change (MCP list_changed and resources/updated notifications). */
import { jsonText } from '@mcp-oauth/shared/json-text';
import type { ChangeMessage } from '../../sessions/change-feed.ts';
import { type Change, parseChange } from './changes.ts';

interface Notification {
  readonly method: string;
  readonly params?: { readonly uri: string };
}

/** The same in both eras; each adds what else its revisions want. */
export const notificationOf = (change: Change): Notification =>
  change.kind === 'resource'
    ? { method: 'notifications/resources/updated', params: { uri: change.uri } }
    : { method: `notifications/${change.kind}/list_changed` };

/** The notification as a session's stream carries it. @param name of the change, as replicas write it to each other */
export function messageOf(name: string): ChangeMessage {
  const change = parseChange(name);
  const data = jsonText({ jsonrpc: '2.0', ...notificationOf(change) });
  return change.kind === 'resource' ? { uri: change.uri, data } : { data };
}
