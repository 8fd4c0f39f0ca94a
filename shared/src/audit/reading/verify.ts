/**
 * Owns the judgement of a trail: which entries are forged, altered, missing, in another order, or cut off at the end. Each process has
 * a chain of its own, and the entries of several may be mixed.
 */
import type { KeyObject } from 'node:crypto';
import { isObject } from '../../json.ts';
import { type Head, type Link, linkOf } from '../chain.ts';
import type { Line } from './source.ts';

export interface Problem {
  readonly kind: 'altered' | 'forged' | 'removed' | 'reordered' | 'cut';
  readonly writer: string;
  readonly message: string;
}

/** What is known of the chain of one process. */
export interface ChainReport {
  readonly writer: string;
  readonly first: number;
  readonly last: number;
  /** Whether its process wrote a last entry; without one it still runs, was killed, or its end was cut off. */
  readonly ended: boolean;
  /** The newest number that the log names; absent: no log with heads was read. */
  readonly headInLog?: number | undefined;
}

export interface Verdict {
  readonly problems: readonly Problem[];
  readonly chains: readonly ChainReport[];
  /** Genuine entries. */
  readonly entries: number;
  /** Genuine entries that were there before: a batch was written again after a lost connection. */
  readonly repeated: number;
  /** Lines that are no entries, such as those of the log. */
  readonly others: number;
}

/** Numbers that were not seen yet, both included. */
interface Missing {
  from: number;
  readonly to: number;
  /** Where the number after them was. */
  readonly source: string;
  readonly place: string;
}

interface Chain {
  first: number;
  last: number;
  /** MAC of the last entry; absent: it was altered, or is not the one before. */
  mac: string | undefined;
  ended: boolean;
  readonly missing: Missing[];
}

/** Problems that are listed; a trail that is checked with another key has nothing else. */
const MOST_PROBLEMS = 1_000;

export async function verify(lines: AsyncIterable<Line>, keys: readonly KeyObject[]): Promise<Verdict> {
  const chains = new Map<string, Chain>();
  const heads = new Map<string, LoggedHead>();
  const problems: Problem[] = [];
  const counts = { entries: 0, repeated: 0, others: 0 };
  /** When the oldest entry was written that is still there. */
  let oldest = '';
  const report = (kind: Problem['kind'], writer: string, message: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ kind, writer, message });
  };
  for await (const line of lines) {
    const link = linkOf(line.text, keys);
    if (!link) {
      if (!line.text.startsWith('{"event":"')) noteHead(line.text, heads);
      else report('altered', '-', `${at(line)} is cut off, or was altered: it does not end as an entry does`);
      counts.others += 1;
      continue;
    }
    const chain = chains.get(link.writer);
    if (!link.isGenuine) {
      judgeFalse(link, chain, line, report);
      continue;
    }
    counts.entries += 1;
    const written = WRITTEN.exec(line.text)?.[1] ?? '';
    if (oldest === '' || written < oldest) oldest = written;
    if (!chain) chains.set(link.writer, begun(link, line));
    else if (link.n > chain.last) follow(chain, link, line, report);
    else if (!fill(chain, link, line, report)) {
      counts.entries -= 1;
      counts.repeated += 1;
    }
    const known = chains.get(link.writer);
    if (known && line.text.startsWith('{"event":"audit.ended"')) known.ended = true;
  }
  for (const [writer, { missing, first }] of chains) {
    for (const { from, to, source, place } of missing) {
      // What is missing before the first entry was rotated away, or removed from a bounded stream.
      if (from > 1 && to >= first) report('removed', writer, `${numbers(from, to)} before ${place} of ${source}`);
    }
  }
  for (const [writer, head] of heads) judgeHead(writer, head, { chain: chains.get(writer), oldest }, report);
  return { problems, chains: [...chains].map(([writer, chain]) => reportOf(writer, chain, heads)), ...counts };
}

/** The time of an entry is its second member. */
const WRITTEN = /^\{"event":"[\w.-]+","at":"([^"]+)"/;

/** A head with the time at which it was logged, if the line has one. */
interface LoggedHead extends Head {
  readonly at: string | undefined;
}

type Report = (kind: Problem['kind'], writer: string, message: string) => void;

const at = ({ source, place }: Line): string => `${place} of ${source}`;

const numbers = (from: number, to: number): string => (from === to ? `entry ${from}` : `entries ${from} to ${to}`);

const begun = ({ n, mac }: Link, { source, place }: Line): Chain => ({
  first: n,
  last: n,
  mac,
  ended: false,
  missing: n > 1 ? [{ from: 1, to: n - 1, source, place }] : [],
});

/** An entry whose MAC is wrong: the next one of its chain that somebody altered, or one that no process wrote. */
function judgeFalse({ writer, n }: Link, chain: Chain | undefined, line: Line, report: Report): void {
  if (chain && n === chain.last + 1) {
    chain.last = n;
    chain.mac = undefined;
    report('altered', writer, `entry ${n}, ${at(line)}`);
  } else report('forged', writer, `${at(line)}, which calls itself entry ${n}`);
}

function follow(chain: Chain, { writer, n, prev, mac }: Link, line: Line, report: Report): void {
  const { source, place } = line;
  if (n > chain.last + 1) chain.missing.push({ from: chain.last + 1, to: n - 1, source, place });
  else if (chain.mac !== undefined && prev !== chain.mac) report('forged', writer, `the entry before ${at(line)}`);
  chain.last = n;
  chain.mac = mac;
}

/** @returns false for an entry that was there before */
function fill(chain: Chain, { writer, n }: Link, line: Line, report: Report): boolean {
  const index = chain.missing.findIndex(({ from, to }) => n >= from && n <= to);
  const gap = chain.missing[index];
  if (!gap) return false;
  const parts = [
    { ...gap, to: n - 1 },
    { ...gap, from: n + 1 },
  ].filter(({ from, to }) => from <= to);
  chain.missing.splice(index, 1, ...parts);
  // Files may be given in any order; within one, a process writes its entries one after the other.
  if (gap.source === line.source) report('reordered', writer, `entry ${n}, ${at(line)}, is after a later one`);
  else chain.first = Math.min(chain.first, n);
  return true;
}

/** A head in the log: whoever can write the log can raise a false alarm with it, and hide nothing. */
function noteHead(text: string, heads: Map<string, LoggedHead>): void {
  if (!text.includes('"audit head"')) return;
  try {
    const line: unknown = JSON.parse(text);
    if (!isObject(line) || line.msg !== 'audit head') return;
    const { writer, n, mac, time } = line;
    const at = typeof time === 'string' ? time : undefined;
    if (typeof writer !== 'string' || typeof n !== 'number' || typeof mac !== 'string') return;
    if (n > (heads.get(writer)?.n ?? 0)) heads.set(writer, { writer, n, mac, at });
  } catch {
    // A line of another program.
  }
}

interface Found {
  readonly chain: Chain | undefined;
  readonly oldest: string;
}

function judgeHead(writer: string, { n, mac, at }: LoggedHead, { chain, oldest }: Found, report: Report): void {
  // The log is kept longer than the trail: the chain was rotated away, or dropped by a bounded stream, like all of that time.
  if (!chain && at !== undefined && at < oldest) return;
  if (!chain) report('cut', writer, `there is no entry of it, and the log says that there were ${n}`);
  else if (chain.last < n) report('cut', writer, `${numbers(chain.last + 1, n)} at the end, by the head in the log`);
  else if (chain.last === n && chain.mac !== undefined && chain.mac !== mac)
    report('forged', writer, `entry ${n} is not the one whose head is in the log`);
}

const reportOf = (
  writer: string,
  { first, last, ended }: Chain,
  heads: ReadonlyMap<string, LoggedHead>,
): ChainReport => ({
  writer,
  first,
  last,
  ended,
  headInLog: heads.get(writer)?.n,
});
