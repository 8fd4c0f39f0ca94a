/**
 * Owns what a client may say about itself at registration (RFC 7591 §2): generous with what real clients send, strict with
 * what could hurt a person or this server.
 */
import { isLoopback } from '@mcp-oauth/shared/setting-types';
import { type ClientMetadata, errors } from 'oidc-provider';

export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const;
export const RESPONSE_TYPES = ['code'] as const;

const MAX_MEMBERS = 20;
const MAX_TEXT = 2_048;
const MAX_NAME = 120;
const MAX_JWKS = 8_192;

/**
 * Decided here, whatever a client asks: a registered scope would freeze it and end step-up, and a sector is a URL to fetch
 * for pairwise subjects, which this server has not.
 */
const DECIDED_HERE = ['scope', 'sector_identifier_uri', 'subject_type', 'id_token_signed_response_alg'] as const;

type Metadata = Record<string, unknown>;

/** Judges and completes metadata before the engine's own checks; also of clients read back from the store. */
export function applyClientPolicy(metadata: ClientMetadata): void {
  const given: Metadata = metadata;
  for (const [name, value] of Object.entries(given)) if (value === null || value === '') delete given[name];
  for (const name of DECIDED_HERE) delete given[name];
  Object.entries(given).forEach(checkSize);
  given.client_name = cleanName(given.client_name);
  keepSupported(given, 'grant_types', GRANT_TYPES);
  keepSupported(given, 'response_types', RESPONSE_TYPES);
  checkRedirects(given);
  if (given.jwks_uri !== undefined && !String(given.jwks_uri).startsWith('https://')) {
    throw new errors.InvalidClientMetadata('jwks_uri must use https');
  }
  if ((given.token_endpoint_auth_method ?? 'none') === 'none') {
    // RFC 7591 §2: a public client has no secret; one that got any would send it, and be refused for that.
    delete given.client_secret;
    delete given.client_secret_expires_at;
  }
}

function checkSize([name, value]: [string, unknown]): void {
  const refuse = (what: string) => {
    throw new errors.InvalidClientMetadata(`${name} ${what}`);
  };
  if (typeof value === 'string' && value.length > MAX_TEXT) refuse(`is longer than ${MAX_TEXT} characters`);
  if (Array.isArray(value) && value.length > MAX_MEMBERS) refuse(`has more than ${MAX_MEMBERS} members`);
  if (Array.isArray(value) && value.some((member) => typeof member === 'string' && member.length > MAX_TEXT)) {
    refuse(`has a member of more than ${MAX_TEXT} characters`);
  }
  if (name === 'jwks' && JSON.stringify(value).length > MAX_JWKS) refuse(`is larger than ${MAX_JWKS} bytes`);
}

/** A name is shown to people: no control or direction-changing characters, one line, not a page. */
function cleanName(name: unknown): unknown {
  if (typeof name !== 'string') return name;
  const clean = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  if (clean.length > MAX_NAME) {
    throw new errors.InvalidClientMetadata(`client_name is longer than ${MAX_NAME} characters`);
  }
  return clean || undefined;
}

/** RFC 7591 §2 lets a server drop values it does not support; a client of which nothing remains is told what is. */
function keepSupported(metadata: Metadata, name: string, supported: readonly string[]): void {
  const asked = metadata[name];
  if (!Array.isArray(asked) || asked.length === 0) return;
  const kept = asked.filter((value) => supported.includes(value));
  if (kept.length === 0) throw new errors.InvalidClientMetadata(`${name} must contain ${supported.join(' or ')}`);
  metadata[name] = kept;
}

/** RFC 8252 §7: a loopback address or an app's own scheme make a client native, whatever it says or leaves out. */
function checkRedirects(metadata: Metadata): void {
  const uris = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : [];
  const urls = uris.map((uri) => (typeof uri === 'string' ? URL.parse(uri) : null)).filter((url) => url !== null);
  if (urls.some(({ protocol, href }) => protocol === 'http:' && !isLoopback(href))) {
    throw new errors.InvalidClientMetadata('redirect_uris must use https unless they are loopback');
  }
  if (urls.some(({ username, password }) => username || password)) {
    throw new errors.InvalidClientMetadata('redirect_uris must not contain user information');
  }
  if (urls.some(({ protocol, href }) => protocol !== 'https:' && (protocol !== 'http:' || isLoopback(href)))) {
    metadata.application_type = 'native';
  }
}
