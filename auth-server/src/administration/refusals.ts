/**
 * Owns the refusals of the last hour, for the operator: the rule or reason, and the reference that the person saw. All replicas share
 * one record. A stranger can cause refusals, so their number, their length and the number of writes are bounded, and strangers cannot
 * push out refusals of people who had signed in. A lost write never ends a request.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { label } from '../federation/subject.ts';
import type { RecordStore } from '../storage/record-store.ts';

export interface RecentRefusal {
  /** In seconds since the epoch. */
  readonly at: number;
  /** Whether a person who had signed in was refused, or a request. */
  readonly what: 'person' | 'request';
  /** The event of the audit. */
  readonly event: string;
  /** The rule, or why it failed. */
  readonly reason: string;
  /** On the page of the person and in each line of the log. */
  readonly reference?: string | undefined;
  readonly client?: string | undefined;
  readonly connector?: string | undefined;
}

export interface RecentRefusals {
  /** Never waits and never fails. */
  note(refusal: Omit<RecentRefusal, 'at'>): void;
  /** Those of the last hour, newest first. */
  recent(): Promise<readonly RecentRefusal[]>;
  /** Resolves when everything noted so far is stored. */
  settled(): Promise<void>;
}

export interface RefusalsDependencies {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** Between two writes of one process. */
  readonly pause: () => Promise<unknown>;
  /** Called with the number of refusals that are not stored. */
  readonly onLost: (lost: number, error: unknown) => void;
}

const KIND = 'RecentRefusals';
const ID = 'all';
const HOUR = 3_600;
/** Of each kind. */
const MOST = 100;
const LONGEST = 300;
/** Other replicas write at the same time. */
const ATTEMPTS = 5;

export function createRecentRefusals({ store, clock, pause, onLost }: RefusalsDependencies): RecentRefusals {
  let waiting: readonly RecentRefusal[] = [];
  let writing: Promise<void> | undefined;

  const read = async () => (await store.get(KIND, ID))?.value;

  async function add(noted: readonly RecentRefusal[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = await read();
      const after = { refusals: kept([...noted, ...refusalsIn(before)], seconds(clock)).map((one) => ({ ...one })) };
      const done = before
        ? await store.replace(KIND, ID, { before, after, ttl: HOUR })
        : await store.putIfAbsent(KIND, ID, after, { ttl: HOUR });
      if (done) return;
    }
    throw new Error('other processes changed the record at the same time');
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const noted = waiting;
      waiting = [];
      await add(noted).catch((error: unknown) => onLost(noted.length, error));
      await pause();
    }
    writing = undefined;
  }

  return {
    note: (refusal) => {
      waiting = kept([bounded({ ...refusal, at: seconds(clock) }), ...waiting], seconds(clock));
      writing ??= writeAll();
    },
    recent: async () => kept(refusalsIn(await read()), seconds(clock)),
    settled: async () => {
      await writing;
    },
  };
}

const refusalsIn = (record: { readonly [name: string]: unknown } | undefined): readonly RecentRefusal[] =>
  (record?.refusals ?? []) as readonly RecentRefusal[];

/** The newest of each kind, in one order. */
function kept(refusals: readonly RecentRefusal[], now: number): readonly RecentRefusal[] {
  const young = refusals.filter(({ at }) => at > now - HOUR).toSorted((one, other) => other.at - one.at);
  const ofKind = (kind: RecentRefusal['what']) => young.filter(({ what }) => what === kind).slice(0, MOST);
  return once([...ofKind('person'), ...ofKind('request')]).toSorted((one, other) => other.at - one.at);
}

/** A refused person is also a refused request, with the same reference. */
function once(refusals: readonly RecentRefusal[]): readonly RecentRefusal[] {
  const seen = new Set<string>();
  return refusals.filter(({ reference }) => {
    if (reference === undefined) return true;
    const isNew = !seen.has(reference);
    seen.add(reference);
    return isNew;
  });
}

/** Values come from other people: one line each, of limited length, and absent if nothing is visible. */
function bounded({ at, what, event, reason, ...optional }: RecentRefusal): RecentRefusal {
  const text = (value: string | undefined) => label(value)?.slice(0, LONGEST).toWellFormed();
  const given = Object.entries(optional).flatMap(([name, value]) => {
    const shown = text(value);
    return shown === undefined ? [] : [[name, shown] as const];
  });
  return { at, what, event, reason: text(reason) ?? 'no reason', ...Object.fromEntries(given) };
}
