/** Owns the messages of MCP that the doctor sends, in both eras, and how it reads an answer: as JSON, or as one event of a stream. */
import type { ProbeRequest, ProbeResponse } from '../network/request.ts';
import type { Document } from '../step.ts';

/** The newest revision with sessions, and the newest without. */
export const SESSIONFUL = '2025-11-25';
export const STATELESS = '2026-07-28';

const INFO = { name: 'mcp-oauth-doctor', version: '1' };

export interface Sender {
  readonly userAgent?: string | undefined;
  readonly token?: string | undefined;
  readonly session?: string | undefined;
  readonly revision?: string | undefined;
  readonly origin?: string | undefined;
}

export const initializeRequest = (
  url: URL,
  userAgent: string | undefined,
  sender: Sender = {},
  revision = SESSIONFUL,
): ProbeRequest =>
  post(url, { ...sender, userAgent }, 'initialize', {
    protocolVersion: revision,
    capabilities: {},
    clientInfo: INFO,
  });

/**
 * A request of the revisions with sessions.
 * @param id once in a session (JSON-RPC 2.0 §4)
 */
export const post = (url: URL, sender: Sender, method: string, params: Document = {}, id = 1): ProbeRequest => ({
  url,
  method: 'POST',
  headers: headersOf(sender),
  body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
});

export const notify = (url: URL, sender: Sender, method: string): ProbeRequest => ({
  url,
  method: 'POST',
  headers: headersOf(sender),
  body: JSON.stringify({ jsonrpc: '2.0', method }),
});

/** A request of the revisions without sessions: it says everything itself. */
export const statelessPost = (url: URL, sender: Sender, method: string, params: Document = {}): ProbeRequest => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': STATELESS,
    'io.modelcontextprotocol/clientInfo': INFO,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const { headers, ...asked } = post(url, { ...sender, revision: STATELESS }, method, { ...params, _meta: meta });
  return { ...asked, headers: { ...headers, 'mcp-method': method } };
};

export const headersOf = ({
  userAgent,
  token,
  session,
  revision,
  origin,
}: Sender): NonNullable<ProbeRequest['headers']> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'user-agent': userAgent,
  authorization: token && `Bearer ${token}`,
  'mcp-session-id': session,
  'mcp-protocol-version': revision,
  origin,
});

/** The JSON-RPC message of an answer; of a stream its first message that is an answer. */
export function messageOf({ headers, body }: ProbeResponse): Document | undefined {
  if (!headers['content-type']?.startsWith('text/event-stream')) return objectIn(body);
  return eventsIn(body)
    .map(objectIn)
    .find((message) => message !== undefined && ('result' in message || 'error' in message));
}

export const isJsonRpc = (response: ProbeResponse): boolean => messageOf(response)?.jsonrpc === '2.0';

export const resultOf = (response: ProbeResponse): Document | undefined => asDocument(messageOf(response)?.result);

/** What a refused request says, in any of the forms that servers use. */
export function errorOf(response: ProbeResponse): string {
  const { status, headers, failure } = response;
  const { error, error_description: description } = messageOf(response) ?? {};
  const { message } = asDocument(error) ?? {};
  const challenge = /error_description="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1];
  const text = [challenge, description, message, error].find((one) => typeof one === 'string');
  return `${status || `no answer (${failure})`}${text ? `, ${JSON.stringify(text).slice(0, 200)}` : ''}`;
}

/** A limit of requests says nothing about the server that a client would meet. */
export const isLimited = ({ status }: ProbeResponse): boolean => status === 429;

export const LIMIT_FIX = 'Wait, and run this again. If clients meet the limit as well, the operator has to raise it.';

/** The data of each event of a stream. */
export const eventsIn = (body: string): readonly string[] =>
  body.split(/\r?\n\r?\n/).flatMap((block) => {
    const data = block.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : []));
    return data.length > 0 ? [data.join('\n')] : [];
  });

export function objectIn(text: string): Document | undefined {
  try {
    return asDocument(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export const asDocument = (value: unknown): Document | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : undefined;
