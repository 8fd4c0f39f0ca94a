/** Owns how the audit of the settings is opened, for a service and for a command that changes something. */
import type { Clock } from '../clock.ts';
import { StartError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RedisClient } from '../redis/ready.ts';
import { chainKey } from './chain.ts';
import type { AuditSettings } from './settings.ts';
import type { Sink } from './sink.ts';
import { openFileSink } from './sinks/file-sink.ts';
import { outputSink } from './sinks/output-sink.ts';
import { redisSink } from './sinks/redis-sink.ts';
import { createTrail, type Trail } from './trail.ts';

export interface OpenAuditOptions {
  readonly settings: Pick<AuditSettings, 'audit' | 'auditKeys' | 'auditFile' | 'auditStreamLength'>;
  readonly service: 'auth-server' | 'mcp-server';
  readonly version: string;
  /** The Redis of the service, for AUDIT=redis. */
  readonly redis: RedisClient | undefined;
  /** Bytes in base64url, for the id of this process. */
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** For AUDIT=stdout. */
  readonly output: Parameters<typeof outputSink>[0];
}

/** The prefix is the one of the keys that the user of the service may access. */
export const streamOf = (service: OpenAuditOptions['service']): string =>
  service === 'auth-server' ? 'as:audit' : 'mcp:audit';

/**
 * @returns nothing with AUDIT=off
 * @throws StartError if the file can't be opened
 */
export async function openAudit({
  settings,
  service,
  version,
  ...options
}: OpenAuditOptions): Promise<Trail | undefined> {
  const [key] = settings.auditKeys ?? [];
  const sink = key && (await sinkOf(settings, service, options));
  if (!key || !sink) return undefined;
  const { newId, clock, log } = options;
  const writer = `${service}-${newId()}`;
  return createTrail({ sink, key: chainKey(key), writer, about: { service, version }, clock, log });
}

async function sinkOf(
  { audit, auditFile = '', auditStreamLength }: OpenAuditOptions['settings'],
  service: OpenAuditOptions['service'],
  { redis, output }: Pick<OpenAuditOptions, 'redis' | 'output'>,
): Promise<Sink | undefined> {
  if (audit === 'stdout') return outputSink(output);
  if (audit === 'redis') return redis && redisSink(redis, streamOf(service), auditStreamLength);
  if (audit === 'off') return undefined;
  return openFileSink(auditFile).catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(`AUDIT_FILE: ${JSON.stringify(auditFile)} can't be opened (${cause.code})`, { cause });
  });
}
