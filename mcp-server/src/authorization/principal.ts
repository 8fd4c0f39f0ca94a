/** Owns who is calling: what is left of an access token once it has been checked (RFC 9068 §2.2). */

export interface Principal {
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** RFC 7638 thumbprint of the key that the token is bound to (RFC 9449 §6); absent for a bearer token. */
  readonly keyThumbprint?: string;
}

/** Whether two principals are the same person at the same issuer with the same client: what a session is bound to. */
export const sameOwner = (a: Owner, b: Owner): boolean =>
  a.issuer === b.issuer && a.subject === b.subject && a.clientId === b.clientId;

export type Owner = Pick<Principal, 'issuer' | 'subject' | 'clientId'>;

/** The name of one person, whatever client they use. */
export const personOf = ({ issuer, subject }: Pick<Owner, 'issuer' | 'subject'>): string =>
  JSON.stringify([issuer, subject]);
