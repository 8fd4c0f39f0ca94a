/** Owns how a command opens the trail that the settings name: the keys, and the lines of the file or stream. */
import type { KeyObject } from 'node:crypto';
import { UsageError } from '../../cli/command.ts';
import { StartError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import { whenReady } from '../../redis/ready.ts';
import type { RedisTarget } from '../../redis/target.ts';
import { openRedis } from '../../redis.ts';
import type { Environment } from '../../settings/config.ts';
import { chainKey } from '../chain.ts';
import { type OpenAuditOptions, streamOf } from '../open.ts';
import type { AuditSettings } from '../settings.ts';
import { type Line, linesOfFiles, linesOfStream } from './source.ts';

export interface OpenedTrail {
  readonly keys: readonly KeyObject[];
  /** @param files instead of where the settings say; `-` is standard input */
  lines(files: readonly string[]): AsyncIterable<Line>;
}

export type WithTrail = <T>(env: Environment, work: (opened: OpenedTrail) => Promise<T>) => Promise<T>;

/** What reading a trail needs. */
export type ReaderSettings = Pick<AuditSettings, 'audit' | 'auditKeys' | 'auditFile'> & {
  readonly redisTarget: RedisTarget | undefined;
  readonly redisCaFile: string | undefined;
};

/** Milliseconds: an operator waits at a prompt. */
const PATIENCE = 5_000;

const NOWHERE =
  'AUDIT: this command reads AUDIT=file and AUDIT=redis by itself; otherwise name files with entries, or - for standard input';

/** @param read reads the settings of the service */
export function createWithTrail(
  service: OpenAuditOptions['service'],
  read: (env: Environment) => ReaderSettings | Promise<ReaderSettings>,
): WithTrail {
  return async (env, work) => {
    const { audit, auditKeys, auditFile = '', redisTarget: target, redisCaFile: caFile } = await read(env);
    if (!auditKeys) throw new StartError('AUDIT_KEY: is required to read the audit');
    const close: (() => void)[] = [];
    async function* stream(): AsyncGenerator<Line> {
      if (!target) throw new StartError('REDIS_URL: is required to read a stream');
      const client = openRedis({ target, name: `${service}-audit`, caFile, log: createLogger(service, 'silent') });
      close.push(() => client.disconnect());
      await whenReady(client, PATIENCE);
      yield* linesOfStream(client, streamOf(service));
    }
    try {
      return await work({
        keys: auditKeys.map(chainKey),
        lines: (files) => {
          if (files.length > 0) return linesOfFiles(files);
          if (audit === 'redis') return stream();
          if (audit === 'file') return linesOfFiles([auditFile]);
          throw new UsageError(NOWHERE);
        },
      });
    } finally {
      for (const end of close) end();
    }
  };
}
