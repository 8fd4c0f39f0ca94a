/** Owns how entries are read for people: parsed, selected, and shown as rows. */
import type { KeyObject } from 'node:crypto';
import { isObject, type JsonObject } from '../../json.ts';
import { type Link, linkOf } from '../chain.ts';
import type { AuditEntry } from '../entry.ts';
import type { Line } from './source.ts';

export type WrittenEntry = AuditEntry & { readonly at: string; readonly writer: string };

export interface Reading {
  readonly entry: WrittenEntry;
  readonly text: string;
}

/** Entries that were read although no key fits. */
export interface Doubtful {
  count: number;
}

/** Numbers of one chain that were read, both included. */
interface Range {
  readonly from: number;
  to: number;
}

/** Notes the entry. Files may come in any order, so each begins or goes on with a range of its own. */
function isNew(seen: Map<string, Range[]>, { writer, n }: Link): boolean {
  const ranges = seen.get(writer) ?? [];
  if (ranges.some(({ from, to }) => n >= from && n <= to)) return false;
  const before = ranges.find(({ to }) => to === n - 1);
  if (before) before.to = n;
  else seen.set(writer, [...ranges, { from: n, to: n }]);
  return true;
}

/** Each entry once: a batch may have been written twice. */
export async function* entriesOf(
  lines: AsyncIterable<Line>,
  keys: readonly KeyObject[],
  doubtful: Doubtful,
): AsyncGenerator<Reading> {
  const seen = new Map<string, Range[]>();
  for await (const { text } of lines) {
    const link = linkOf(text, keys);
    const entry = link && parsed(text);
    if (!entry) continue;
    if (!link.isGenuine) doubtful.count += 1;
    else if (!isNew(seen, link)) continue;
    yield { entry, text };
  }
}

function parsed(text: string): WrittenEntry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value.at === 'string' ? (value as unknown as WrittenEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** Characters of a cell. */
const WIDEST = 80;

const cell = (value: unknown): string | null => {
  if (value === undefined || value === null) return null;
  const text = String(value);
  return text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text;
};

export const rowOf = (entry: WrittenEntry) => ({
  at: cell(entry.at),
  event: cell(entry.event),
  outcome: cell(entry.outcome),
  who: cell(entry.who),
  client: cell(entry.client),
  from: cell(entry.from),
  reason: cell(entry.reason),
  details: cell(detailsOf(entry)),
  reference: cell(entry.reference),
});

/** `name=echo ms=3` */
export const detailsOf = ({ details }: { readonly details?: JsonObject | AuditEntry['details'] }): string | undefined =>
  details &&
  Object.entries(details)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
