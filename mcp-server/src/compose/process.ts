/** Owns what all parts of the service get from the process: the clock, outgoing requests, the log and the meters. */
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Config } from '../config.ts';
import { createMeters, type Meters } from '../metrics.ts';

export interface ProcessDependencies {
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly log: Logger;
  /** Absent: nothing is counted. */
  readonly meters: Meters | undefined;
}

/** @param overrides replacements for tests */
export function composeProcess(
  config: Config,
  overrides: Partial<Omit<ProcessDependencies, 'meters'>>,
): ProcessDependencies {
  const log = overrides.log ?? createLogger('mcp-server', config.logLevel);
  if (config.httpsProxy) log.info({ proxy: config.httpsProxy.host }, 'https requests use a proxy');
  return {
    clock: overrides.clock ?? systemClock,
    fetch: overrides.fetch ?? createOutgoingFetch(config),
    log,
    meters: config.metricsPort === undefined ? undefined : createMeters(),
  };
}
