/** Owns how many entries strangers can cause a minute: without a limit they could push all others out of a bounded trail. */
import type { Clock } from '../clock.ts';
import type { AuditEntry } from './entry.ts';
import { type AuditEvent, EVENTS, type EventDeclaration } from './events.ts';

/** Entries of one event, a minute and process; those that name a person are counted separately, so that strangers cannot hide them. */
const MOST = 300;
const MINUTE = 60_000;

export interface LeftOut {
  readonly event: AuditEvent;
  readonly count: number;
}

export interface StrangerLimit {
  /** @returns false if the entry is to be left out */
  admits(entry: Pick<AuditEntry, 'event' | 'who'>): boolean;
  /** What was left out in minutes that are over; each is returned once. */
  leftOut(): readonly LeftOut[];
}

export function createStrangerLimit(clock: Clock, most = MOST): StrangerLimit {
  const counts = { known: new Map<AuditEvent, number>(), unknown: new Map<AuditEvent, number>() };
  let since = clock.now();
  let over: LeftOut[] = [];
  const turn = (): void => {
    const now = clock.now();
    if (now - since < MINUTE && now >= since) return;
    since = now;
    for (const some of Object.values(counts)) {
      for (const [event, count] of some) if (count > most) over.push({ event, count: count - most });
      some.clear();
    }
  };
  return {
    admits: ({ event, who }) => {
      const declared: EventDeclaration = EVENTS[event];
      if (!declared.ofStrangers) return true;
      turn();
      const some = who === undefined ? counts.unknown : counts.known;
      const count = (some.get(event) ?? 0) + 1;
      some.set(event, count);
      return count <= most;
    },
    leftOut: () => {
      turn();
      const found = over;
      over = [];
      return found;
    },
  };
}
