/**
 * Owns the validation of the two documents of a client: its metadata (draft-ietf-oauth-client-id-metadata-document §4; MCP:
 * client_id, client_name and redirect_uris), and the set of its public keys (RFC 7517 §5).
 */
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';
import { ClientDocumentError, type Reason } from './document-error.ts';
import type { Answer } from './fetch/get.ts';

/** Validates metadata by all other rules for clients; throws if it is invalid. */
export type Judge = (metadata: JsonObject) => void;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** A public document cannot contain a secret (§8.2). */
const SECRETS = ['client_secret', 'client_secret_expires_at'];
const PUBLIC_METHODS: ReadonlySet<unknown> = new Set([undefined, 'none', 'private_key_jwt']);

/** The pages of a client are not used, so an untrustworthy page URL is dropped and does not invalidate the document. */
const isOddPage = (name: string, value: unknown): boolean =>
  name.endsWith('_uri') && name !== 'jwks_uri' && URL.parse(String(value))?.protocol !== 'https:';

/**
 * @returns the metadata without empty members, which real clients send
 * @throws ClientDocumentError
 */
export function readMetadata(url: URL, document: unknown, judge: Judge): JsonObject {
  const refuse = (reason: Reason, detail: string): never => {
    throw new ClientDocumentError(reason, { host: url.hostname, detail });
  };
  if (!isObject(document)) return refuse('invalid', 'not a JSON object');
  if (document.client_id !== url.href) return refuse('client_id_mismatch', 'client_id is not the URL of the document');
  const kept = Object.entries(document).filter(
    ([name, value]) => value !== null && value !== '' && !isOddPage(name, value),
  );
  const metadata = Object.fromEntries(kept);
  if (SECRETS.some((name) => name in metadata)) return refuse('shared_secret', 'a public document contains a secret');
  const { token_endpoint_auth_method: method, client_name: name, redirect_uris: uris } = metadata;
  if (!PUBLIC_METHODS.has(method)) return refuse('shared_secret', 'only none and private_key_jwt are supported');
  if (!isText(name)) return refuse('invalid', 'client_name is missing');
  if (!Array.isArray(uris) || uris.length === 0) return refuse('invalid', 'redirect_uris are missing');
  try {
    judge(metadata);
  } catch (cause) {
    throw new ClientDocumentError('invalid', { host: url.hostname, detail: describe(cause), cause });
  }
  return metadata;
}

/**
 * RFC 7517 §5: a member that is not a key does not invalidate the others.
 * @throws ClientDocumentError
 */
export function readKeySet(url: URL, document: unknown): JsonObject {
  const members: unknown = isObject(document) ? document.keys : undefined;
  const keys = Array.isArray(members) ? members.filter(isObject) : [];
  if (Array.isArray(members) && (keys.length > 0 || members.length === 0)) return { keys };
  throw new ClientDocumentError('invalid', { host: url.hostname, detail: 'not a JSON Web Key Set' });
}

function describe(cause: unknown): string {
  const { error_description: said, message } = cause as { error_description?: unknown; message?: unknown };
  return String(said ?? message);
}

const ABSENT: Readonly<Record<number, 'missing' | 'gone'>> = { 404: 'missing', 410: 'gone' };
const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

/**
 * Only 200 is a success; a redirect is not followed (§5).
 * @throws ClientDocumentError
 */
export function parseAnswer(url: URL, { status, headers, body }: Answer): unknown {
  const { hostname: host } = url;
  if (status !== 200) {
    throw new ClientDocumentError(ABSENT[status] ?? 'status', { host, status, detail: `answered ${status}` });
  }
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) {
    throw new ClientDocumentError('content_type', { host, detail: 'the content type is not JSON' });
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new ClientDocumentError('not_json', { host });
  }
}
