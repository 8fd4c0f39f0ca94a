/**
 * Ensures that a grant also stores exactly what was approved, for which organisation, when it began, by which way, and where the status
 * of its tokens is, in the same record and the same write. It extends the list of stored members of `provider.Grant` of oidc-provider
 * 9.13.3, which is not public.
 */
import type Provider from 'oidc-provider';
import { z } from 'zod';
import type { Approval } from '../../consent/approval.ts';
import type { GrantEntry } from '../../revocation/grant-directory.ts';
import { STATUS } from '../records/grants.ts';

const MEMBER = 'approvals';
const ORGANISATION = 'organisation';
/** When the person first approved: an approval of more restarts `iat`. */
const BEGUN = 'begun';
const VIA = 'via';

/** Older grants have no approvals, and invalid ones count as none: then the person is asked. */
const names = z.array(z.string());
const tells = z.object({ resource: z.string(), claims: names }).optional();
const schema = z.array(z.object({ facts: z.string(), scopes: names, tells })).catch([]);

export function keepApprovals(provider: Provider): void {
  const model = provider.Grant as unknown as { readonly IN_PAYLOAD: readonly string[] };
  const members = [...model.IN_PAYLOAD, MEMBER, ORGANISATION, BEGUN, VIA, STATUS];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => members });
}

export const approvalsOf = (grant: object | undefined): readonly Approval[] =>
  schema.parse(grant && Reflect.get(grant, MEMBER));

/** The organisation for which the person acts, bound to the grant. */
export const organisationOf = (grant: object | undefined): string | undefined => {
  const organisation: unknown = grant && Reflect.get(grant, ORGANISATION);
  return typeof organisation === 'string' ? organisation : undefined;
};

export const setOrganisation = (grant: object, organisation: string): void => {
  Reflect.set(grant, ORGANISATION, organisation);
};

/** Seconds since the epoch. Older grants count from their last approval. */
export const begunAt = (grant: object): number | undefined => {
  const begun: unknown = Reflect.get(grant, BEGUN) ?? Reflect.get(grant, 'iat');
  return typeof begun === 'number' ? begun : undefined;
};

type Via = GrantEntry['via'];

export const viaOf = (grant: object): Via => {
  const via: unknown = Reflect.get(grant, VIA);
  return via === 'device' || via === 'enterprise' ? via : 'browser';
};

/**
 * The lifetime of the grant restarts, and its beginning stays.
 * @param now seconds since the epoch
 */
export const renewApproval = (grant: object, via: Via, now: number): void => {
  Reflect.set(grant, BEGUN, begunAt(grant) ?? now);
  Reflect.set(grant, VIA, via);
  // The engine counts both from now where they are absent.
  Reflect.deleteProperty(grant, 'exp');
  Reflect.deleteProperty(grant, 'iat');
};

export const setApprovals = (grant: object, approvals: readonly Approval[]): void => {
  Reflect.set(grant, MEMBER, approvals);
};
