/**
 * Owns how clients with a standalone stream hear of changes: at once while it is open, and once for all that they missed when
 * they come back (MCP list_changed and resources/updated notifications).
 */
import type { ChangeLog, MessageBus } from './ports.ts';
import type { McpSession } from './session.ts';
import { type Attachment, STANDALONE, type Streams } from './streams.ts';

/** `tools`, `prompts`, `resources`, or `resource:` and a URI. */
const RESOURCE = 'resource:';

export interface ChangeFeedParts {
  readonly streams: Streams;
  readonly changes: ChangeLog;
  readonly bus: Pick<MessageBus, 'broadcast'>;
  readonly peek: (session: string) => Promise<McpSession | undefined>;
}

export interface ChangeFeed {
  /** Something has changed here. */
  announce(change: string): Promise<void>;
  /** Something has changed, here or elsewhere. */
  deliver(change: string, version: number): Promise<void>;
  /** Tells a client that has come back what it missed; to be called before its stream starts. */
  catchUp(attachment: Attachment): Promise<void>;
}

export function createChangeFeed({ streams, changes, bus, peek }: ChangeFeedParts): ChangeFeed {
  const tell = async (attachment: Attachment, change: string, version: number): Promise<void> => {
    attachment.changes = version;
    const session = await peek(attachment.name.session);
    if (!session || !wants(session, change)) return;
    await streams.announce(session.id, { data: notification(change), changes: version });
  };
  const deliver = async (change: string, version: number): Promise<void> => {
    const behind = streams
      .all()
      .filter(({ name, changes: told }) => name.stream === STANDALONE && told !== undefined && told < version);
    await Promise.all(behind.map((attachment) => tell(attachment, change, version)));
  };
  return {
    deliver,
    announce: async (change) => {
      const version = await changes.record(change);
      await Promise.all([deliver(change, version), bus.broadcast({ kind: 'changed', change, version })]);
    },
    catchUp: async (attachment) => {
      const { changes: told } = attachment;
      const { version, changes: missed } = await changes.since(told ?? Number.MAX_SAFE_INTEGER);
      if (told !== undefined) for (const change of missed) await tell(attachment, change, version);
      attachment.changes = version;
    },
  };
}

const wants = ({ agreed, subscriptions }: McpSession, change: string): boolean =>
  agreed !== undefined && (!change.startsWith(RESOURCE) || subscriptions.includes(change.slice(RESOURCE.length)));

function notification(change: string): string {
  const about = change.startsWith(RESOURCE)
    ? { method: 'notifications/resources/updated', params: { uri: change.slice(RESOURCE.length) } }
    : { method: `notifications/${change}/list_changed` };
  return JSON.stringify({ jsonrpc: '2.0', ...about });
}
