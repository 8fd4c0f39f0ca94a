/**
 * Owns the defaults of client authentication: the method of a client that does not state one (RFC 7591 §2), and the client that a
 * Basic header without a secret names (RFC 6749 §2.3.1).
 */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

type Metadata = Readonly<Record<string, unknown>>;

/**
 * RFC 7591 §2: `client_secret_basic` for a web application. A native one cannot keep a secret (RFC 8252 §8.5), so a secret would
 * protect neither its users nor this server.
 */
export function usualAuthMethod({ redirect_uris: given, application_type: type }: Metadata): string {
  const uris: readonly unknown[] = Array.isArray(given) ? given : [];
  return type !== 'native' && uris.length > 0 && uris.every(isOnTheWeb) ? 'client_secret_basic' : 'none';
}

const isOnTheWeb = (uri: unknown): boolean => {
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  return url?.protocol === 'https:' && !isLoopback(url.href);
};

/** A client id that is a URL must be percent-encoded here, but some clients do not encode it. */
const WITHOUT_SECRET = /^(https:\/\/.+|[^:]+):$/;

/**
 * The client that `Authorization: Basic base64(id:)` names. An empty secret authenticates nobody, so the header means the same as
 * `client_id`. Undefined for every other header.
 */
export function clientWithoutSecret(authorization: string): string | undefined {
  const [, encoded = ''] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const [, id] = WITHOUT_SECRET.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return id === undefined ? undefined : formDecoded(id);
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
