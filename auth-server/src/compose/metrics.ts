/** Owns how the metrics and their endpoint are created from the settings. */
import { auditMetric } from '@mcp-oauth/shared/audit/metrics';
import type { Trail } from '@mcp-oauth/shared/audit/trail';
import type { Logger } from '@mcp-oauth/shared/logger';
import { commonMetrics, type ReachedRedis } from '@mcp-oauth/shared/metrics/process';
import type { Endpoint } from '@mcp-oauth/shared/service';
import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { createMeters, type Meters } from '../metrics.ts';

interface Metrics {
  readonly meters: Meters;
  readonly endpoint: Endpoint;
}

/** @returns `undefined` if METRICS_PORT is not set: nothing is counted */
export async function composeMetrics(
  { issuer, host, metricsPort: port }: Config,
  {
    log,
    trail,
    ...reached
  }: ReachedRedis & { readonly log: Logger; readonly trail: Pick<Trail, 'counts'> | undefined },
): Promise<Metrics | undefined> {
  if (port === undefined) return undefined;
  // Loaded only here, because its library takes a tenth of a start.
  const { createExposition } = await import('@mcp-oauth/shared/metrics/exposition');
  const meters = createMeters(issuer);
  const metrics = [...meters.all, ...commonMetrics(manifest.version, reached), ...auditMetric(trail?.counts)];
  const endpoint = { handler: createExposition(metrics, log), listen: { host, port, setting: 'METRICS_PORT' } };
  return { meters, endpoint };
}
