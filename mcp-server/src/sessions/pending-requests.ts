/**
 * Owns the list of requests that this replica has not answered yet, on streams that several replicas write to. The list is in the
 * log, so that another replica can answer when this one is lost (HTTP+SSE: one stream per session, each POST at any replica).
 */
import type { EventLog } from './ports.ts';
import { STANDALONE } from './streams.ts';

type Id = string | number;

export class PendingRequests {
  readonly #log: Pick<EventLog, 'notePending'>;
  readonly #replica: string;
  readonly #open = new Map<string, Set<Id>>();

  constructor(log: Pick<EventLog, 'notePending'>, replica: string) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Resolves when the log has the list, or the store is unavailable. */
  async begin(session: string, ids: readonly Id[]): Promise<void> {
    if (ids.length === 0) return;
    const open = this.#open.get(session) ?? new Set();
    this.#open.set(session, open);
    for (const id of ids) open.add(id);
    await this.#note(session, open).catch(() => {});
  }

  settle(session: string, id: Id): void {
    const open = this.#open.get(session);
    if (!open?.delete(id)) return;
    if (open.size === 0) this.#open.delete(session);
    this.#note(session, open).catch(() => {});
  }

  /** The session has ended, and with it its stream. */
  forget(session: string): void {
    this.#open.delete(session);
  }

  /** If this fails and the replica is lost, the client waits until its own timeout. */
  #note(session: string, open: ReadonlySet<Id>): Promise<void> {
    const requests = open.size === 0 ? '' : JSON.stringify([...open]);
    return this.#log.notePending({ session, stream: STANDALONE }, this.#replica, requests);
  }
}
