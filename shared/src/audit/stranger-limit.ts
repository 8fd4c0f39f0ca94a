/** Owns how many entries strangers can cause a minute: without a limit they could push all others out of a bounded trail. */
import type { Clock } from '../clock.ts';
import { type AuditEvent, EVENTS, type EventDeclaration } from './events.ts';

/** Entries of one event, a minute and process. */
const MOST = 300;
const MINUTE = 60_000;

export interface LeftOut {
  readonly event: AuditEvent;
  readonly count: number;
}

export interface StrangerLimit {
  /** @returns false if the entry is to be left out */
  admits(event: AuditEvent): boolean;
  /** What was left out in minutes that are over; each is returned once. */
  leftOut(): readonly LeftOut[];
}

export function createStrangerLimit(clock: Clock, most = MOST): StrangerLimit {
  const counts = new Map<AuditEvent, number>();
  let since = clock.now();
  let over: LeftOut[] = [];
  const turn = (): void => {
    const now = clock.now();
    if (now - since < MINUTE && now >= since) return;
    since = now;
    for (const [event, count] of counts) if (count > most) over.push({ event, count: count - most });
    counts.clear();
  };
  return {
    admits: (event) => {
      const declared: EventDeclaration = EVENTS[event];
      if (!declared.ofStrangers) return true;
      turn();
      const count = (counts.get(event) ?? 0) + 1;
      counts.set(event, count);
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
