/** Owns the metric of the audit: how many entries were written, and how many were not. */
import type { Declaration, Metric } from '../metrics/declaration.ts';
import type { Counts } from './trail.ts';

export const auditEntries: Declaration = {
  name: 'audit_entries_total',
  type: 'counter',
  help: 'Audit entries, by result. `ok`: written. `lost`: the sink did not take entries for too long. `limited`: left out, as strangers caused too many of one kind. Absent with AUDIT=off.',
  labels: { result: ['ok', 'lost', 'limited'] },
};

/** @param counts absent: there is no audit */
export const auditMetric = (counts: Readonly<Counts> | undefined): readonly Metric[] =>
  counts ? [metric(counts)] : [];

const metric = (counts: Readonly<Counts>): Metric => ({
  declaration: auditEntries,
  samples: () =>
    (['ok', 'lost', 'limited'] as const).map((result) => ({ labels: [['result', result]], value: counts[result] })),
});
