/**
 * Owns what this replica has still to answer on streams that many replicas answer on, noted where another one finds it should
 * this one be gone (HTTP+SSE: a session has one stream, and each POST may go to another replica).
 */
import type { EventLog } from './ports.ts';
import { STANDALONE } from './streams.ts';

type Id = string | number;

export class Debts {
  readonly #log: Pick<EventLog, 'owe'>;
  readonly #replica: string;
  readonly #open = new Map<string, Set<Id>>();

  constructor(log: Pick<EventLog, 'owe'>, replica: string) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Resolves when it is noted, or can't be. */
  async begin(session: string, ids: readonly Id[]): Promise<void> {
    if (ids.length === 0) return;
    const open = this.#open.get(session) ?? new Set();
    this.#open.set(session, open);
    for (const id of ids) open.add(id);
    await this.#note(session, open);
  }

  settle(session: string, id: Id): void {
    const open = this.#open.get(session);
    if (!open?.delete(id)) return;
    if (open.size === 0) this.#open.delete(session);
    void this.#note(session, open);
  }

  /** The session is over, and so is its stream. */
  forget(session: string): void {
    this.#open.delete(session);
  }

  #note(session: string, open: ReadonlySet<Id>): Promise<void> {
    const requests = open.size === 0 ? '' : JSON.stringify([...open]);
    // Should it fail, a client may have to wait until its own patience ends.
    return this.#log.owe({ session, stream: STANDALONE }, this.#replica, requests).catch(() => {});
  }
}
