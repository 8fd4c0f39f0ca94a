/** Owns which entries of the audit the operator sees as refusals: what was refused or failed. The name of a refused person is left out. */
import type { Audit, AuditEntry } from '@mcp-oauth/shared/audit/entry';
import type { RecentRefusal, RecentRefusals } from './refusals.ts';

/** Entries about people who had signed in. */
const OF_PEOPLE: ReadonlySet<AuditEntry['event']> = new Set(['sign-in.refused', 'person.refused']);

export function refusalIn({
  event,
  outcome,
  reason,
  reference,
  client,
  details,
}: AuditEntry): Omit<RecentRefusal, 'at'> | undefined {
  // What the audit says about itself concerns no request.
  if (outcome === 'ok' || reference === undefined) return undefined;
  const connector = details?.connector;
  return {
    what: OF_PEOPLE.has(event) ? 'person' : 'request',
    event,
    reason: reason ?? outcome,
    reference,
    client,
    connector: typeof connector === 'string' ? connector : undefined,
  };
}

/** @returns the audit, with each refusal noted for the operator as well */
export const noting =
  (audit: Audit, { note }: Pick<RecentRefusals, 'note'>): Audit =>
  (entry) => {
    audit(entry);
    const refusal = refusalIn(entry);
    if (refusal) note(refusal);
  };
