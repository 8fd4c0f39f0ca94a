/**
 * Owns what a person is called where an operator reads it: on the pages and in commands. An address that the identity provider does not
 * vouch for may be that of somebody else, so it is never shown without saying so.
 */
import type { Identity } from './connector.ts';

export interface Names {
  readonly name: string | undefined;
  /** Ends in ` (unverified)` if nobody has verified it. */
  readonly address: string | undefined;
}

/** @param identity absent: the account is no longer stored */
export function namesOf(identity: Partial<Identity> = {}): Names {
  const { name, username, email, verifiedEmails, unverifiedEmail } = identity;
  return {
    name: name ?? username,
    address:
      email ?? verifiedEmails?.[0] ?? (unverifiedEmail === undefined ? undefined : `${unverifiedEmail} (unverified)`),
  };
}
