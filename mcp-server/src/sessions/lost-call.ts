/**
 * Owns the error that a client gets for a call whose replica is lost, as pure functions (JSON-RPC 2.0 §5.1: server
 * error).
 */
import { INTERNAL_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { StreamEvent } from './ports.ts';

/** The call may or may not have taken effect. */
const LOST = {
  code: INTERNAL_ERROR,
  message: 'The server that ran this request was lost. Please send the request again.',
};

type Id = string | number;

interface LostAnswer {
  /** Position of the request among all requests of the stream, from 1. */
  readonly place: number;
  /** The JSON-RPC message as text. */
  readonly data: string;
}

/**
 * Finds the requests of a stream that no event answers, and gives each an error.
 * @param requests ids of the requests that the stream answers, as JSON text
 */
export function lostAnswers(requests: string | undefined, events: readonly StreamEvent[]): readonly LostAnswer[] {
  const asked = JSON.parse(requests ?? '[]') as readonly Id[];
  const answered = new Set(events.flatMap(({ data }) => answeredBy(data)));
  const answers = asked.map((id, index) => ({ id, place: index + 1 })).filter(({ id }) => !answered.has(id));
  return answers.map(({ id, place }) => ({ place, data: jsonText({ jsonrpc: '2.0', id, error: LOST }) }));
}

function answeredBy(data: string): readonly Id[] {
  if (!data) return [];
  const message = JSON.parse(data) as { id?: Id; method?: string };
  return message.id !== undefined && message.method === undefined ? [message.id] : [];
}
