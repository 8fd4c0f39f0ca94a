/**
 * Owns the log fields for the content of a message: its JSON-RPC method, and the tool, prompt or resource that it
 * concerns.
 */

export interface AskedFor {
  /** Not called `method`, which is the HTTP method. */
  readonly rpc?: string;
  readonly tool?: string;
  readonly prompt?: string;
  /** Without query and fragment, which may contain secrets. */
  readonly resource?: string;
  /** For a batch: its first message. */
  readonly messages?: number;
}

const LONGEST = 200;
const NOTHING: AskedFor = {};

type Json = Readonly<Record<string, unknown>>;

export function askedFor(message: unknown): AskedFor {
  if (typeof message !== 'object' || message === null) return NOTHING;
  if (Array.isArray(message)) return { messages: message.length, ...askedFor(first(message)) };
  const { method, params } = message as Json;
  if (typeof method !== 'string') return NOTHING;
  const rpc = short(method);
  if (typeof params !== 'object' || params === null) return { rpc };
  const { name, uri } = params as Json;
  if (method === 'tools/call' && typeof name === 'string') return { rpc, tool: short(name) };
  if (method === 'prompts/get' && typeof name === 'string') return { rpc, prompt: short(name) };
  if (typeof uri === 'string') return { rpc, resource: short(uri.replace(/[?#].*$/s, '')) };
  return { rpc };
}

/** A list in a list is not a message. */
const first = ([message]: readonly unknown[]): unknown => (Array.isArray(message) ? undefined : message);

/** The client chooses these texts. */
export const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
