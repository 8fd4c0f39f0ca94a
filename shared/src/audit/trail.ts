/**
 * Owns the trail of one process: entries are queued as text, chained and written in batches off the call. A sink that is full or
 * missing costs no call anything: the queue is bounded, and what does not fit into it is counted.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { reasonOf } from '../documents/remote-document.ts';
import type { Logger } from '../logger.ts';
import { createOutage } from '../network/outage.ts';
import { chained, chainMac, type Head } from './chain.ts';
import { type Audit, type AuditEntry, textOf } from './entry.ts';
import type { Sink } from './sink.ts';
import { createStrangerLimit } from './stranger-limit.ts';

/** How many entries became what, since the start. */
export interface Counts {
  ok: number;
  lost: number;
  limited: number;
}

export interface Trail {
  readonly audit: Audit;
  readonly counts: Readonly<Counts>;
  /** Writes what is waiting and the last entry, and logs the head. Waits a moment for a sink that does not answer. */
  close(): Promise<void>;
}

/** Milliseconds. */
export interface Pace {
  /** For which entries are collected. */
  readonly batch: number;
  /** Between two attempts while the sink does not take entries. */
  readonly retry: number;
  /** Between two heads in the log. */
  readonly head: number;
  /** That the end of the process waits for the sink. */
  readonly close: number;
}

const PACE: Pace = { batch: 100, retry: 1_000, head: 60_000, close: 2_000 };

/** Entries and UTF-16 units that wait for the sink; about a minute of many calls. */
const MOST_ENTRIES = 20_000;
const MOST_TEXT = 8_000_000;
/** Entries that are chained and written together. */
const BATCH = 200;

export interface TrailOptions {
  readonly sink: Sink;
  readonly key: KeyObject;
  /** Unique for each process. */
  readonly writer: string;
  /** Facts about this process, for its first entry. */
  readonly about: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pace?: Partial<Pace>;
}

export function createTrail({ sink, key, writer, about, clock, log, ...options }: TrailOptions): Trail {
  const pace = { ...PACE, ...options.pace };
  const counts: Counts = { ok: 0, lost: 0, limited: 0 };
  const limit = createStrangerLimit(clock);
  const outage = createOutage();
  const timeOf = createTimeText(clock);
  const macOf = chainMac(key);
  const queue: string[] = [];
  let size = 0;
  /** Chained and not yet in the sink. */
  let batch: readonly string[] = [];
  let head: Head = { writer, n: 0, mac: '' };
  let written = head;
  let told = head;
  let lost = { count: 0, since: '' };
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const lose = (): void => {
    if (lost.count === 0) lost.since = timeOf();
    lost.count += 1;
    counts.lost += 1;
  };
  const add = (entry: AuditEntry): void => {
    const text = textOf(entry, timeOf());
    queue.push(text);
    size += text.length;
  };
  const schedule = (milliseconds: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush();
    }, milliseconds).unref();
  };
  const audit: Audit = (entry) => {
    try {
      if (!limit.admits(entry)) {
        counts.limited += 1;
        return;
      }
      if (queue.length >= MOST_ENTRIES || size >= MOST_TEXT) return lose();
      add(entry);
      schedule(pace.batch);
    } catch {
      lose();
    }
  };
  /** Numbers are given here: entries that are lost before leave no gap that looks like a removal. */
  const take = (): void => {
    const texts = queue.splice(0, BATCH);
    batch = texts.map((text) => {
      size -= text.length;
      const { line, head: next } = chained(text, head, macOf);
      head = next;
      return line;
    });
  };
  const accepted = (): void => {
    counts.ok += batch.length;
    batch = [];
    written = head;
    if (outage.isAway) log.info({ lost: lost.count }, 'audit entries are written again');
    outage.end();
    if (lost.count === 0) return;
    add({ event: 'audit.lost', outcome: 'failed', details: { ...lost } });
    lost = { count: 0, since: '' };
  };
  const work = async (): Promise<void> => {
    for (const { event, count } of limit.leftOut()) {
      add({ event: 'audit.limited', outcome: 'refused', details: { event, count } });
    }
    while (batch.length > 0 || queue.length > 0) {
      if (batch.length === 0) take();
      await sink.write(batch);
      accepted();
    }
  };
  const flush = (): void => {
    running ??= work()
      .catch((error: unknown) => {
        const reason = reasonOf(error);
        if (outage.begin(reason)) log.error({ reason }, 'audit entries can’t be written');
        schedule(pace.retry);
      })
      .finally(() => {
        running = undefined;
      });
  };
  const tellHead = (): void => {
    if (written.n > told.n) log.info({ ...written }, 'audit head');
    told = written;
  };
  // Also writes what strangers were left out of, if nothing else happens.
  const heads = setInterval(() => {
    tellHead();
    schedule(0);
  }, pace.head).unref();

  add({ event: 'audit.started', outcome: 'ok', details: about });
  schedule(pace.batch);
  return {
    audit,
    counts,
    close: async () => {
      clearInterval(heads);
      add({ event: 'audit.ended', outcome: 'ok' });
      const all = async () => {
        await running;
        flush();
        await running;
      };
      let deadline: NodeJS.Timeout | undefined;
      await Promise.race([all(), new Promise<void>((resolve) => (deadline = setTimeout(resolve, pace.close)))]);
      clearTimeout(deadline);
      clearTimeout(timer);
      const left = batch.length + queue.length;
      if (left > 0) log.error({ lost: left }, 'audit entries are lost at the end');
      tellHead();
      await sink.close();
    },
  };
}

/** Many entries are of one millisecond, and formatting a date costs more than the rest. */
function createTimeText(clock: Clock): () => string {
  let latest = Number.NaN;
  let text = '';
  return () => {
    const now = clock.now();
    if (now !== latest) text = new Date(now).toISOString();
    latest = now;
    return text;
  };
}
