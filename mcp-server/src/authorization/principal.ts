/** Owns the identity of a caller: the checked content of an access token (RFC 9068 §2.2). */
import type { PersonClaims } from './person-claims.ts';
import type { TokenStatus } from './status/reference.ts';

export interface Principal {
  readonly issuer: string;
  readonly subject: string;
  /** Absent: the tokens of this issuer name no client. */
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** What the token says about the person. Nothing of it identifies them: only issuer and subject together do. */
  readonly claims: PersonClaims;
  /** RFC 7638 thumbprint of the key that the token is bound to (RFC 9449 §6); absent for a bearer token. */
  readonly keyThumbprint?: string;
  /** Who acts for the person, from the last to the first (RFC 8693 §4.1); absent: only the client. */
  readonly actors?: readonly string[];
  /** The id of the key that signed the token; absent: the token names none. */
  readonly keyId?: string;
  /** Where its issuer says whether the token was revoked; absent: nowhere. */
  readonly status?: TokenStatus;
}

/**
 * Whether two principals have the same issuer, person and client: a session is bound to all three, or to the first two if the issuer
 * names no client.
 */
export const sameOwner = (a: Owner, b: Owner): boolean =>
  a.issuer === b.issuer && a.subject === b.subject && a.clientId === b.clientId;

export type Owner = Pick<Principal, 'issuer' | 'subject'> & {
  /** A stored owner without a client lacks the member. */
  readonly clientId?: string | undefined;
};

/** The name of one person, the same for all clients. */
export const personOf = ({ issuer, subject }: Pick<Owner, 'issuer' | 'subject'>): string =>
  JSON.stringify([issuer, subject]);
