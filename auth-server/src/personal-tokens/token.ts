/** Owns what a personal token is: what is stored of it, whose it is, and how its name is written. The token itself is never stored. */
import { HttpError } from '@mcp-oauth/shared/errors';
import { label } from '../federation/subject.ts';
import type { StatusReference } from '../revocation/status-lists.ts';

export interface PersonalToken {
  /** The `jti`. It gives no access. */
  readonly id: string;
  readonly name: string;
  /** The first identifier of the resource. */
  readonly resource: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly status: StatusReference;
  /** Digests of the groups, roles and organisation that the token states. */
  readonly states?: readonly string[] | undefined;
  /** Since when its person has been refused, but not for good. Absent: they may come in. */
  readonly refusedSince?: number | undefined;
}

/** A person by their account, or a service by its name. */
export type Owner =
  | { readonly kind: 'person'; readonly accountId: string }
  | { readonly kind: 'service'; readonly name: string };

const SERVICE = 'service:';
const SERVICE_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** The `client_id` of the tokens of people: the program behind a token is not known. */
const PERSONAL_CLIENT = 'personal-token';

/** The `sub`. Subjects of people have no colon, so no service can be taken for a person (RFC 9068 §5). */
export const subjectOf = (owner: Owner): string =>
  owner.kind === 'person' ? owner.accountId : `${SERVICE}${owner.name}`;

export const ownerOf = (subject: string): Owner =>
  subject.startsWith(SERVICE)
    ? { kind: 'service', name: subject.slice(SERVICE.length) }
    : { kind: 'person', accountId: subject };

/** Each service is a client of its own (RFC 6749 §4.4, RFC 9068 §2.2). */
export const clientOf = (owner: Owner): string => (owner.kind === 'person' ? PERSONAL_CLIENT : subjectOf(owner));

export const isServiceName = (name: string): boolean => SERVICE_NAME.test(name);

/** Maximum number of valid tokens of one person or service. */
export const MOST_TOKENS = 50;

export const LONGEST_NAME = 60;

/** @returns the name in one line; `undefined` if it is empty, too long or not text */
export function tokenName(written: string): string | undefined {
  const name = label(written);
  return name !== undefined && name.length <= LONGEST_NAME && name === written.trim() ? name : undefined;
}

/** Why a token cannot be made. The texts are for the person or operator who asks. */
export type TokenFault = 'off' | 'name' | 'resource' | 'scope' | 'lifetime' | 'too many' | 'made already' | 'refused';

export class TokenRefused extends HttpError {
  readonly fault: TokenFault;

  /** @param reason for the log, and for operators */
  constructor(fault: TokenFault, reason: string) {
    super(fault === 'refused' ? 403 : 400, 'invalid_request', reason, { reason });
    this.fault = fault;
  }
}
