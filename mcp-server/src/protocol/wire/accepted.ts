/**
 * Owns the reading of the `Accept` header: which content types the answer may have (RFC 9110 §12.5.1, MCP
 * Streamable HTTP).
 */
import type { IncomingMessage } from 'node:http';

export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
  /** Whether the client prefers a stream: it accepts nothing else, or lists a stream first at equal weight. */
  readonly streamFirst: boolean;
}

interface Range {
  readonly name: string;
  /** From 0, not acceptable, to 1. */
  readonly weight: number;
  readonly position: number;
}

const BOTH: Accepted = { json: true, stream: true, streamFirst: false };

/**
 * Clients MUST accept both. A client that accepts only JSON is served too, but gets no message before the answer.
 * An absent header and wildcards mean both.
 */
export function acceptedBy({ headers: { accept } }: IncomingMessage): Accepted {
  if (accept === undefined || accept === 'application/json, text/event-stream') return BOTH;
  const ranges = accept.split(',').map(readRange);
  const [json, stream] = [rangeOf(ranges, 'application/json'), rangeOf(ranges, 'text/event-stream')];
  return { json: json !== undefined, stream: stream !== undefined, streamFirst: comesFirst(stream, json) };
}

function readRange(text: string, position: number): Range {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const [, weight = '1'] = parameters.map((parameter) => /^q=([\d.]+)$/.exec(parameter)).find(Boolean) ?? [];
  return { name, weight: Number(weight), position };
}

/** The most specific range counts. */
function rangeOf(ranges: readonly Range[], type: string): Range | undefined {
  const names = [type, `${type.split('/')[0]}/*`, '*/*'];
  const range = names.map((wanted) => ranges.find(({ name }) => name === wanted)).find(Boolean);
  return range && range.weight > 0 ? range : undefined;
}

function comesFirst(range: Range | undefined, other: Range | undefined): boolean {
  if (!range || !other) return range !== undefined;
  return range.weight === other.weight ? range.position < other.position : range.weight > other.weight;
}
