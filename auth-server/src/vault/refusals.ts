/** Owns what is said to a client, and to the log, when a re-check refuses a person, and which of these refusals end the grant. */
import type { AccessRefusal } from '../access/gate.ts';
import type { Account } from '../federation/account.ts';
import { type Identity, UpstreamError } from '../federation/connector.ts';
import { localSubject } from '../federation/subject.ts';

/** Final: the upstream has refused the person. @param message for the log */
export const denied = (message: string): AccessRefusal => ({
  reason: `the identity provider refuses the person: ${message}`,
  description:
    'The identity provider has ended the access of this user: the account there is disabled, or its consent was withdrawn. Sign in again, or ask the administrator of the accounts there.',
  isFinal: true,
});

/** Not final: when the upstream answers again, the same refresh token works. */
export const NO_ANSWER: { readonly refusal: AccessRefusal } = {
  refusal: {
    reason: 'the identity provider has not confirmed the person for longer than UPSTREAM_GRACE',
    description: 'The identity provider could not confirm this user for too long. Sign in again.',
  },
};

/** For a browser session: only a new sign-in at the upstream gives something to ask with. */
export const ENDED: { readonly refusal: AccessRefusal } = {
  refusal: {
    reason: 'the session at the identity provider has ended',
    description: 'The session of this user at the identity provider has ended. Sign in again.',
  },
};

/** @param message which record cannot be decrypted, and why */
export const UNREADABLE = (message: string): { readonly refusal: AccessRefusal } => ({
  refusal: { reason: message, description: 'What is needed to confirm this user cannot be read. Sign in again.' },
});

/**
 * An answer about somebody else is no answer about this person (OpenID Connect Core 1.0 §5.3.2, §12.2).
 * @throws UpstreamError
 */
export function refuseOther({ accountId, identity }: Account, found: Identity): void {
  if (localSubject(found) === accountId) return;
  throw new UpstreamError('denied', 'the upstream answered for another person', {
    claim: found.issuer === identity.issuer ? 'sub' : 'iss',
    expected: found.issuer === identity.issuer ? identity.subject : identity.issuer,
    found: found.issuer === identity.issuer ? found.subject : found.issuer,
  });
}
