/**
 * Owns the reference of a token into a status list (draft-ietf-oauth-status-list §6.2), as pure functions: where the list may be, and
 * which tokens need it more than others. It is read only after the signature of the token was verified.
 */
import { isObject } from '@mcp-oauth/shared/json';
import type { JWTPayload } from 'jose';
import { type Finding, shown } from '../finding.ts';
import type { TokenRules } from '../token/rules.ts';
import type { TokenReason } from '../token-error.ts';

export interface StatusReference {
  readonly uri: string;
  readonly idx: number;
}

export interface TokenStatus extends StatusReference {
  /** Whether the token lives for so long that it must not be accepted without a recent list. */
  readonly isLongLived: boolean;
}

/** Who or what may be revoked: a principal, or the owner of a session with the reference of their newest token. */
export interface Referring {
  readonly issuer: string;
  readonly status?: StatusReference | undefined;
  /** The key that signed the token; absent for a session, which has several tokens. */
  readonly keyId?: string | undefined;
  /** When that token expires, in seconds since the epoch. */
  readonly expiresAt?: number;
}

export type IsRevoked = (referring: Referring) => boolean;

/** What the status lists say of what goes on without a request: sessions, streams, running calls. */
export interface Revocations {
  /** From the copies that are held of lists and keys. */
  readonly isRevoked: IsRevoked;
  /**
   * Has the list read from now on.
   * @param until seconds since the epoch at which the token expires
   * @returns nothing if the list is held; else resolves when it was read, or could not be
   */
  learn(referring: Referring, until: number): Promise<void> | undefined;
}

/** Seconds. */
const LONG_LIFE = 3_600;

const LONGEST_URI = 1_024;

/** The largest index that a list within our limits can have is much smaller. */
const LARGEST_INDEX = 2 ** 31 - 1;

type Refuse = (reason: TokenReason, finding: Finding) => never;

/**
 * @param now seconds since the epoch
 * @returns nothing for a token without a reference, and if lists are not read
 */
export function statusOf(
  claims: JWTPayload,
  { statusOrigins, variable }: Pick<TokenRules, 'statusOrigins' | 'variable'>,
  now: number,
  refuse: Refuse,
): TokenStatus | undefined {
  const { status, exp = 0, iat = now } = claims;
  const list = isObject(status) ? (status.status_list ?? undefined) : undefined;
  if (!statusOrigins || list === undefined) return undefined;
  const { idx, uri } = isObject(list) ? list : {};
  if (!isIndex(idx)) return refuse('wrong_status', { claim: 'status', expected: 'an index', found: shown(idx) });
  const setting = variable('STATUS_LIST_ORIGINS');
  if (!isAllowed(uri, statusOrigins)) {
    const expected = `a list at ${statusOrigins.join(' or ')}`;
    return refuse('wrong_status', { claim: 'status', expected, found: shown(uri), setting });
  }
  return { uri, idx, isLongLived: exp - iat > LONG_LIFE };
}

const isIndex = (idx: unknown): idx is number =>
  typeof idx === 'number' && Number.isInteger(idx) && idx >= 0 && idx <= LARGEST_INDEX;

/** The origins are https, unless the issuer itself is not, which is refused in production. */
function isAllowed(uri: unknown, origins: readonly string[]): uri is string {
  if (typeof uri !== 'string' || uri.length > LONGEST_URI) return false;
  const url = URL.parse(uri);
  return url !== null && origins.includes(url.origin) && url.username === '' && url.password === '' && url.hash === '';
}
