/** Owns the wiring of the metrics: a separate port, with values that are read at each scrape. */
import { auditMetric } from '@mcp-oauth/shared/audit/metrics';
import type { Trail } from '@mcp-oauth/shared/audit/trail';
import { commonMetrics } from '@mcp-oauth/shared/metrics/process';
import type { Endpoint } from '@mcp-oauth/shared/service';
import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import type { Eras } from '../protocol/eras.ts';
import type { Storage } from '../storage/open.ts';
import type { Authorization } from './authorization.ts';
import type { ProcessDependencies } from './process.ts';

interface MetricsDependencies extends Pick<ProcessDependencies, 'log' | 'meters'> {
  readonly eras: Pick<Eras, 'load'>;
  readonly storage: Storage;
  readonly authorization: Pick<Authorization, 'issuers' | 'statusLists'>;
  readonly trail: Pick<Trail, 'counts'> | undefined;
}

/** @returns nothing if METRICS_PORT is not set */
export async function composeMetrics(
  { host, metricsPort: port = 0 }: Config,
  { meters, eras, storage, authorization, trail, log }: MetricsDependencies,
): Promise<Endpoint | undefined> {
  if (!meters) return undefined;
  // Loaded only here, because its library takes a tenth of a start.
  const { createExposition } = await import('@mcp-oauth/shared/metrics/exposition');
  const { issuers, statusLists: lists } = authorization;
  const readings = {
    load: eras.load,
    sessions: storage.sessions.store.count,
    issuers,
    statusLists: () => lists.states(),
  };
  const metrics = [...meters.all(readings), ...commonMetrics(manifest.version, storage), ...auditMetric(trail?.counts)];
  return { handler: createExposition(metrics, log), listen: { host, port, setting: 'METRICS_PORT' } };
}
