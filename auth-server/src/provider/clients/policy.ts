/**
 * Owns which metadata a client may register (RFC 7591 §2): tolerant of what real clients send, strict about what could harm a
 * person or this server.
 */
import { isDeeper, isObject } from '@mcp-oauth/shared/json';
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';
import { type ClientMetadata, errors } from 'oidc-provider';
import { DEVICE_GRANT } from '../../clients/client.ts';
import { isForeignScheme } from '../../clients/redirect-scheme.ts';
import { tellsSecret, usableKeys } from './keys.ts';

export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const;
/** Machine clients act without a person, so only the operator can add them (RFC 6749 §4.4). */
const GRANT_TYPES_BY_WORD = [...GRANT_TYPES, 'client_credentials'] as const;
export const RESPONSE_TYPES = ['code'] as const;

const MAX_MEMBERS = 20;
const MAX_TEXT = 2_048;
const MAX_NAME = 120;
const MAX_JWKS = 8_192;
/** A set has a list of keys, a key has members, and a member may be a list (RFC 7517 §4). */
const JWKS_LEVELS = 4;

/**
 * Members that this server decides, whatever a client sends: a registered scope would fix the scope and prevent step-up, and a
 * sector is a URL to fetch for pairwise subjects, which this server does not have.
 */
const DECIDED_HERE = ['scope', 'sector_identifier_uri', 'subject_type', 'id_token_signed_response_alg'] as const;

/** Member that stores the `scope` of a pre-registered client: the engine would compare `scope` with the scopes at its start. */
const SCOPE_BOUND = 'scope_bound';
export const EXTRA_METADATA = ['software_id', SCOPE_BOUND] as const;

/** The scopes to which a client is limited; absent: all. */
export const scopeBound = (client: object | undefined): string | undefined => {
  const bound: unknown = client && Reflect.get(client, SCOPE_BOUND);
  return typeof bound === 'string' ? bound : undefined;
};

type Metadata = Record<string, unknown>;

export interface Standing {
  /** Whether this server may read a URL for an unknown client. */
  readonly isFetchable: (url: string) => boolean;
  /** Whether the operator configured this client: its `scope` is then a limit. */
  readonly isPreRegistered: boolean;
  /** Whether the device authorization grant is offered. */
  readonly hasDeviceGrant: boolean;
  /** Grant types that this server offers to clients of the operator alone, besides `client_credentials`. */
  readonly moreGrants: readonly string[];
  /** Grant types that the operator gave to this client by its id, whatever its metadata says. */
  readonly namedGrants: readonly string[];
}

/** Validates and completes metadata before the engine's own checks; also for clients read from the store. */
export function applyClientPolicy(
  metadata: ClientMetadata,
  { isFetchable, isPreRegistered, hasDeviceGrant, moreGrants, namedGrants }: Standing,
): void {
  const given: Metadata = metadata;
  dropEmpty(given);
  given[SCOPE_BOUND] = isPreRegistered ? (given.scope ?? given[SCOPE_BOUND]) : undefined;
  for (const name of DECIDED_HERE) delete given[name];
  Object.entries(given).forEach(checkShape);
  keepUsableKeys(given);
  given.client_name = cleanName(given.client_name);
  checkRedirects(given);
  const grants: readonly string[] = isPreRegistered ? [...GRANT_TYPES_BY_WORD, ...moreGrants] : GRANT_TYPES;
  const mayUseCodes = hasDeviceGrant && (isPreRegistered || isPublicNative(given));
  keepSupported(given, 'grant_types', mayUseCodes ? [...grants, DEVICE_GRANT] : grants);
  if (namedGrants.length > 0) addGrants(given, namedGrants);
  if ((isPreRegistered || usesCodes(given)) && !asksPeople(given)) given.response_types = [];
  keepSupported(given, 'response_types', RESPONSE_TYPES);
  if (typeof given.jwks_uri === 'string' && !isFetchable(given.jwks_uri)) {
    throw new errors.InvalidClientMetadata('jwks_uri must use https and a public host name');
  }
  if ((given.token_endpoint_auth_method ?? 'none') === 'none') {
    // RFC 7591 §2: a public client has no secret. If it got one, it would send it and be refused.
    delete given.client_secret;
    delete given.client_secret_expires_at;
  }
}

/**
 * Drops empty members, so that the defaults of RFC 7591 §2 apply: a client with `grant_types: []` could do nothing. An empty
 * `redirect_uris` stays, because it has no default.
 */
function dropEmpty(given: Metadata): void {
  for (const [name, value] of Object.entries(given)) {
    const kept = Array.isArray(value) ? value.filter((member) => member !== null && member !== '') : value;
    const isEmptyList = isEmptyArray(kept) && name !== 'redirect_uris';
    if (kept === null || kept === '' || isEmptyList || (name === 'jwks' && isEmptySet(kept))) delete given[name];
    else given[name] = kept;
  }
  // The engine applied its default before the empty member was dropped.
  given.application_type ??= 'web';
}

/** RFC 7517 §5: a set without keys, or without the member `keys`. */
function isEmptySet(jwks: unknown): boolean {
  if (typeof jwks !== 'object' || jwks === null) return false;
  const { keys, ...others } = jwks as { readonly keys?: unknown };
  return Object.keys(others).length === 0 && (keys === undefined || keys === null || isEmptyArray(keys));
}

const isEmptyArray = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** RFC 7517 §5: keys are validated one by one. A client without any valid key could never authenticate. */
function keepUsableKeys(given: Metadata): void {
  if (given.jwks === undefined || tellsSecret(given.jwks)) return;
  const usable = usableKeys(given.jwks);
  if ((usable as { readonly keys?: readonly unknown[] }).keys?.length === 0) {
    throw new errors.InvalidClientMetadata('jwks has no usable public key');
  }
  given.jwks = usable;
}

/** The engine assumes that a member is a string or a list of strings where RFC 7591 §2 says so. */
function checkShape([name, value]: [string, unknown]): void {
  const refuse = (what: string) => {
    throw new errors.InvalidClientMetadata(`${name} ${what}`);
  };
  if (name === 'software_id' && typeof value !== 'string') refuse('must be a string');
  if (name !== 'jwks' && isObject(value)) refuse('must not be an object');
  if (isDeeper(value, name === 'jwks' ? JWKS_LEVELS : 1)) refuse('is nested too deeply');
  if (typeof value === 'string' && value.length > MAX_TEXT) refuse(`is longer than ${MAX_TEXT} characters`);
  if (Array.isArray(value) && value.length > MAX_MEMBERS) refuse(`has more than ${MAX_MEMBERS} members`);
  if (Array.isArray(value) && value.some((member) => typeof member === 'string' && member.length > MAX_TEXT)) {
    refuse(`has a member of more than ${MAX_TEXT} characters`);
  }
  if (name === 'jwks' && JSON.stringify(value).length > MAX_JWKS) refuse(`is larger than ${MAX_JWKS} bytes`);
}

/** A program on a machine of its person. Without a redirect URI it is no website either, whatever its metadata says. */
const isPublicNative = ({
  token_endpoint_auth_method: method,
  application_type: type,
  redirect_uris: uris,
}: Metadata) => (method ?? 'none') === 'none' && (type === 'native' || uris === undefined || isEmptyArray(uris));

const usesCodes = ({ grant_types: grants }: Metadata): boolean =>
  Array.isArray(grants) && grants.includes(DEVICE_GRANT);

const asksPeople = ({ grant_types: grants }: Metadata): boolean =>
  !Array.isArray(grants) || grants.includes('authorization_code');

/** Combining marks; more of them than any script uses would cover the surrounding lines. */
const STACKED_MARKS = /([\p{Mn}\p{Me}]{2})[\p{Mn}\p{Me}]+/gu;
/** Leading marks would combine with a letter of our own text. */
const LEADING_MARKS = /^[\s\p{Mn}\p{Me}]+/u;

/** A name is shown to people: no control, direction-changing or invisible characters, and one line of limited length. */
function cleanName(name: unknown): unknown {
  if (typeof name !== 'string') return name;
  const visible = name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]+/gu, ' ');
  const clean = visible.normalize('NFC').replace(STACKED_MARKS, '$1').replace(LEADING_MARKS, '').trim();
  if (clean.length > MAX_NAME) {
    throw new errors.InvalidClientMetadata(`client_name is longer than ${MAX_NAME} characters`);
  }
  return clean || undefined;
}

/** The document of a client is the same for all servers, so it need not list what the operator of this one allows. */
function addGrants(given: Metadata, grants: readonly string[]): void {
  const listed: readonly unknown[] = Array.isArray(given.grant_types) ? given.grant_types : GRANT_TYPES;
  given.grant_types = [...new Set([...listed, ...grants])];
}

/** RFC 7591 §2 lets a server drop unsupported values. If none remains, the error lists the supported ones. */
function keepSupported(metadata: Metadata, name: string, supported: readonly string[]): void {
  const asked = metadata[name];
  if (!Array.isArray(asked) || asked.length === 0) return;
  const kept = asked.filter((value) => supported.includes(value));
  if (kept.length === 0) throw new errors.InvalidClientMetadata(`${name} must contain ${supported.join(' or ')}`);
  metadata[name] = kept;
}

/**
 * RFC 3986 §2, §3: URIs that a browser would silently correct (blanks, backslashes, a missing or empty part before the host) are
 * refused, so that the page names the real destination of the answer.
 */
const WELL_FORMED = /^(?:https?:\/\/[^/?#@]|(?!https?:)[a-z][a-z0-9+.-]*:)[\w.~:/?#[\]@!$&'()*+,;=%-]*$/i;

/** RFC 8252 §7: a loopback address or an app's own scheme makes a client native, whatever its metadata says. */
function checkRedirects(metadata: Metadata): void {
  const given: readonly unknown[] = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : [];
  const uris = given.filter((uri) => typeof uri === 'string');
  if (!uris.every((uri) => WELL_FORMED.test(uri))) {
    throw new errors.InvalidClientMetadata('redirect_uris must only contain valid uris');
  }
  const urls = uris.map((uri) => URL.parse(uri)).filter((url) => url !== null);
  if (urls.some(({ protocol, href }) => protocol === 'http:' && !isLoopback(href))) {
    throw new errors.InvalidClientMetadata('redirect_uris must use https unless they are loopback');
  }
  const scheme = urls.map(({ protocol }) => protocol.slice(0, -1)).find(isForeignScheme);
  if (scheme) throw new errors.InvalidClientMetadata(`redirect_uris must not use the ${scheme} URI scheme`);
  if (urls.some(({ hostname }) => hostname.includes('*'))) {
    throw new errors.InvalidClientMetadata('redirect_uris are compared exactly, so * is not a wildcard');
  }
  if (urls.some(({ username, password }) => username || password)) {
    throw new errors.InvalidClientMetadata('redirect_uris must not contain user information');
  }
  if (urls.some(({ protocol, href }) => protocol !== 'https:' && (protocol !== 'http:' || isLoopback(href)))) {
    metadata.application_type = 'native';
  }
}
