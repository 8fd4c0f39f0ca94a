/** Owns what the `Accept` header of a request lets its answer be (RFC 9110 §12.5.1, MCP Streamable HTTP). */
import type { IncomingMessage } from 'node:http';

export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}

const BOTH: Accepted = { json: true, stream: true };

/**
 * Clients MUST accept both; one that takes only JSON is served as well, and told nothing but the answer. No header and
 * wildcards mean both.
 */
export function acceptedBy({ headers: { accept } }: IncomingMessage): Accepted {
  if (accept === undefined || accept === 'application/json, text/event-stream') return BOTH;
  const takes = (type: string, subtype: string) =>
    ['*/*', `${type}/*`, `${type}/${subtype}`].some((range) => accept.includes(range));
  return { json: takes('application', 'json'), stream: takes('text', 'event-stream') };
}
