/** Owns what the `Accept` header of a request lets its answer be (RFC 9110 §12.5.1, MCP Streamable HTTP). */
import type { IncomingMessage } from 'node:http';

export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
  /** Whether a stream is what the client would rather have: it takes nothing else, or of two alike it names that first. */
  readonly streamFirst: boolean;
}

interface Range {
  readonly name: string;
  /** From 0, which means never, to 1. */
  readonly weight: number;
  readonly position: number;
}

const BOTH: Accepted = { json: true, stream: true, streamFirst: false };

/**
 * Clients MUST accept both; one that takes only JSON is served as well, and told nothing but the answer. No header and
 * wildcards mean both.
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

/** The one that says most exactly what it is about counts. */
function rangeOf(ranges: readonly Range[], type: string): Range | undefined {
  const names = [type, `${type.split('/')[0]}/*`, '*/*'];
  const range = names.map((wanted) => ranges.find(({ name }) => name === wanted)).find(Boolean);
  return range && range.weight > 0 ? range : undefined;
}

function comesFirst(range: Range | undefined, other: Range | undefined): boolean {
  if (!range || !other) return range !== undefined;
  return range.weight === other.weight ? range.position < other.position : range.weight > other.weight;
}
