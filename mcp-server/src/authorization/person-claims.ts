/**
 * Owns what a tool learns about its caller besides the subject: the claims about a person in a checked token (RFC 9068 §2.2.2,
 * §2.2.3.1; OpenID Connect Core §5.1), of our auth-server or of another issuer. A claim that has no usable value is dropped, because
 * only the subject identifies the person.
 */
import { PERSON_CLAIMS } from '@mcp-oauth/shared/contract';

/** Absent: the token does not say it. */
export interface PersonClaims {
  readonly name?: string;
  readonly username?: string;
  /** Our auth-server sends verified addresses only. Another issuer may not, unless it says so. */
  readonly email?: string;
  readonly groups?: readonly string[];
  readonly roles?: readonly string[];
  readonly org?: string;
}

type Claims = Readonly<Record<string, unknown>>;

const NONE: PersonClaims = Object.freeze({});

const LONGEST = 1_024;
const MOST = 5_000;

/** @returns always the same object for a token without such claims */
export function personClaimsOf(claims: Claims): PersonClaims {
  const found: Readonly<Record<keyof PersonClaims, unknown>> = {
    name: text(claims[PERSON_CLAIMS.name]),
    username: text(claims[PERSON_CLAIMS.username]),
    email: isUnverified(claims) ? undefined : text(claims[PERSON_CLAIMS.email]),
    groups: list(claims[PERSON_CLAIMS.groups]),
    roles: list(claims[PERSON_CLAIMS.roles]),
    org: text(claims[PERSON_CLAIMS.org]),
  };
  const present = Object.entries(found).filter(([, value]) => value !== undefined);
  return present.length > 0 ? Object.freeze(Object.fromEntries(present)) : NONE;
}

/** Some issuers send the flag as text. */
const isUnverified = ({ email_verified: verified }: Claims): boolean => verified === false || verified === 'false';

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST && value.isWellFormed();

const text = (value: unknown): string | undefined => (isText(value) ? value : undefined);

/** A text is a list of one: some issuers send a single value without a list. A part of a list that is too long would be false. */
function list(value: unknown): readonly string[] | undefined {
  const values: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(values) || values.length > MOST) return undefined;
  return Object.freeze(values.filter(isText));
}

/** Approximate bytes, with two for each character. */
export function sizeOfClaims(claims: PersonClaims): number {
  let size = 0;
  for (const value of Object.values(claims) as readonly (string | readonly string[])[]) {
    for (const one of [value].flat()) size += TEXT_FRAME + 2 * one.length;
  }
  return size;
}

const TEXT_FRAME = 32;
