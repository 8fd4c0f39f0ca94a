/**
 * Owns the delivery of changes to clients with a standalone stream: immediately while it is open, and everything
 * they missed when they reconnect (MCP list_changed and resources/updated notifications).
 */
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import { type ChangeLog, type MessageBus, StorageUnavailable } from './ports.ts';
import type { McpSession } from './session.ts';
import type { Attachment } from './stream-reader.ts';
import { STANDALONE, type Streams } from './streams.ts';

/** The notification of a change. */
export interface ChangeMessage {
  /** URI of the resource whose content changed; absent: a list changed. */
  readonly uri?: string;
  readonly data: string;
}

export interface ChangeFeedDependencies {
  readonly streams: Streams;
  readonly changes: ChangeLog;
  readonly bus: Pick<MessageBus, 'broadcast'>;
  readonly peek: (session: string) => Promise<McpSession | undefined>;
  /** @param change the name of a change in messages between replicas */
  readonly messageOf: (change: string) => ChangeMessage;
}

export interface ChangeFeed {
  /** Announces a change of this replica. @returns the number of the change */
  announce(change: string): Promise<number>;
  /** Delivers a change of any replica to the streams here. */
  deliver(change: string, version: number): Promise<void>;
  /**
   * Delivers the changes that a client missed. Call it before its stream starts, and whenever messages may have
   * been lost.
   */
  catchUp(attachment: Attachment): Promise<void>;
}

export function createChangeFeed({ streams, changes, bus, peek, messageOf }: ChangeFeedDependencies): ChangeFeed {
  /** One delivery at a time for each stream: its progress is a single number. */
  const inTurn = (attachment: Attachment, work: () => Promise<void>): Promise<void> => {
    const done = attachment.delivered.then(work);
    attachment.delivered = done.catch(() => {});
    return done;
  };
  const tell = async (attachment: Attachment, { uri, data }: ChangeMessage, version: number): Promise<void> => {
    const session = await peek(attachment.name.session);
    const told = session && wants(session, uri);
    const written = told && (await streams.announce(session.id, { data, changes: version }));
    if (written === 'lost') throw new StorageUnavailable('the log of a stream could not be written');
    attachment.changes = version;
  };
  const tellMissed = async (attachment: Attachment): Promise<void> => {
    const { changes: told } = attachment;
    const { version, changes: missed } = await changes.since(told ?? Number.MAX_SAFE_INTEGER);
    if (told !== undefined) {
      for (const { change, version: number } of missed) await tell(attachment, messageOf(change), number);
    }
    attachment.changes = Math.max(version, attachment.changes ?? 0);
    // From now on the stream counts missed changes; the number has to be stored for the next replica that serves it.
    if (told === undefined) await streams.keep(attachment);
  };
  const deliver = async (change: string, version: number): Promise<void> => {
    // Once for all streams: thousands may be open, and few of them concerned.
    const message = messageOf(change);
    const one = async (attachment: Attachment): Promise<void> => {
      const { changes: told } = attachment;
      if (told === undefined || version <= told) return;
      // Announcements can arrive out of order; the log of changes has them all.
      await (version === told + 1 ? tell(attachment, message, version) : tellMissed(attachment));
    };
    const standalone = streams.all().filter(({ name }) => name.stream === STANDALONE);
    await Promise.all(standalone.map((attachment) => inTurn(attachment, () => one(attachment))));
  };
  return {
    deliver,
    announce: async (change) => {
      const version = await changes.record(change);
      await Promise.all([deliver(change, version), bus.broadcast({ kind: 'changed', change, version })]);
      return version;
    },
    catchUp: (attachment) => inTurn(attachment, () => tellMissed(attachment)),
  };
}

/** @param uri of the resource that changed; absent: a list changed, which concerns every client */
function wants({ agreed, subscriptions }: McpSession, uri: string | undefined): boolean {
  if (agreed === undefined || uri === undefined) return agreed !== undefined;
  return subscriptions.includes(uri) || subscriptions.includes(normalUri(uri));
}
