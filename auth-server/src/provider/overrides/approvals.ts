/**
 * Ensures that a grant also stores exactly what was approved, and for which organisation, in the same record and the same write. It extends the list of stored
 * members of `provider.Grant` of oidc-provider 9.13.3, which is not public.
 */
import type Provider from 'oidc-provider';
import { z } from 'zod';
import type { Approval } from '../../consent/approval.ts';

const MEMBER = 'approvals';
const ORGANISATION = 'organisation';

/** Older grants have no approvals, and invalid ones count as none: then the person is asked. */
const names = z.array(z.string());
const tells = z.object({ resource: z.string(), claims: names }).optional();
const schema = z.array(z.object({ facts: z.string(), scopes: names, tells })).catch([]);

export function keepApprovals(provider: Provider): void {
  const model = provider.Grant as unknown as { readonly IN_PAYLOAD: readonly string[] };
  const members = [...model.IN_PAYLOAD, MEMBER, ORGANISATION];
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

export const setApprovals = (grant: object, approvals: readonly Approval[]): void => {
  Reflect.set(grant, MEMBER, approvals);
};
