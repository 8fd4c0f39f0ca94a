/** Owns what all parts of the service get from the process: the clock, outgoing requests, the log and the meters. */
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Config } from '../config.ts';
import { createMeters, type Meters } from '../metrics.ts';

/** Thirty seconds: most APIs keep an unused connection longer. */
const KEPT = { idle: 30_000, unused: 16, all: 256 };

export interface ProcessDependencies {
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** For requests of tools, which come often to the same hosts: connections are used again. */
  readonly fetchOften: Fetch;
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
    fetchOften: overrides.fetch ?? createOutgoingFetch(config, KEPT),
    log,
    meters: config.metricsPort === undefined ? undefined : createMeters(),
  };
}
