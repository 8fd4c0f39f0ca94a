/** Owns the decision whether a personal token may go on: what its operator allows now, and what its person may do now. A pure function. */
import type { AccessRefusal } from '../access/gate.ts';
import type { Identity } from '../federation/connector.ts';
import type { Resource } from '../resources/resource.ts';
import type { Limits } from './settings.ts';
import { isStillTrue } from './states.ts';
import type { Owner, PersonalToken } from './token.ts';

/** Why a token ends. Not final: only if the reason lasts, because a rule may be a mistake, and a token that has ended stays so. */
export interface Objection {
  readonly reason: string;
  readonly isFinal: boolean;
}

const final = (reason: string): Objection => ({ reason, isFinal: true });

/** An ending of the person, or of everything before a moment. */
export const ENDED = final('its person, or everything before a moment, was ended');

/** What the settings say. @param resource absent: there is none with this identifier any more */
export function objectionOfSettings(
  token: PersonalToken,
  owner: Owner,
  { limits, resource, now }: { readonly limits: Limits; readonly resource: Resource | undefined; readonly now: number },
): Objection | undefined {
  const { offered, lifetime, scopes } = limits;
  if (offered === 'off' || (offered === 'services' && owner.kind === 'person')) {
    return final(`PERSONAL_TOKENS is ${offered}`);
  }
  if (!resource) return final('the resource is no longer known');
  if (now - token.createdAt >= lifetime) return final('older than PERSONAL_TOKEN_LIFETIME');
  const beyond = token.scopes.find((scope) => owner.kind === 'person' && scopes && !scopes.has(scope));
  return beyond === undefined ? undefined : final(`PERSONAL_TOKEN_SCOPES does not name ${beyond}`);
}

export interface Person {
  readonly identity: Identity;
  /** Present if the person may not come in. */
  readonly refusal: AccessRefusal | undefined;
  /** The scopes of the token that the person may have. */
  readonly permitted: readonly string[];
}

/** What the identity provider and the rules say of the person. @param person absent: nothing is known of them any more */
export function objectionOfPerson(token: PersonalToken, person: Person | undefined): Objection | undefined {
  if (!person) return final('the person is no longer known');
  const { refusal, permitted, identity } = person;
  if (refusal) return { reason: refusal.reason, isFinal: refusal.isFinal ?? false };
  const lost = token.scopes.find((scope) => !permitted.includes(scope));
  if (lost !== undefined) return { reason: `the person may not have ${lost} any more`, isFinal: false };
  if (isStillTrue(token.states ?? [], identity)) return undefined;
  return { reason: 'the person has lost a group, role or organisation that the token states', isFinal: false };
}

/** @returns what becomes of a token: it ends, it stays, or it is remembered since when there is an objection */
export function afterObjection(
  token: PersonalToken,
  objection: Objection | undefined,
  { now, patience }: { readonly now: number; readonly patience: number },
): 'end' | PersonalToken {
  const { refusedSince, ...others } = token;
  if (!objection) return refusedSince === undefined ? token : others;
  if (objection.isFinal || now - (refusedSince ?? now) >= patience) return 'end';
  return refusedSince === undefined ? { ...token, refusedSince: now } : token;
}
