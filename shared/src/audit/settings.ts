/** Owns the settings of the audit, which both services have. */
import { optional, type Problem, setting, type Values } from '../settings/config.ts';
import { integer, oneOf, secretKeys, text } from '../settings/types.ts';

export const auditSettings = {
  audit: setting({
    env: 'AUDIT',
    doc: 'Where audit entries are written, which say who did what (docs/audit.md): `stdout` between the lines of the log, `file` to AUDIT_FILE, `redis` to a stream in the Redis of REDIS_URL. It contains personal data, so it is `off` until somebody decides how long it is kept.',
    type: oneOf('off', 'stdout', 'file', 'redis'),
    default: 'off',
  }),
  auditKeys: optional({
    env: 'AUDIT_KEY',
    doc: 'Keys of the chain of entries, by which `audit verify` finds what was forged, altered or removed: 32 bytes each in base64, separated by commas. The first is used for new entries, all to verify. Required unless AUDIT is off; make one with `openssl rand -base64 32`. Do not keep it where the entries are.',
    type: secretKeys(),
    secret: true,
  }),
  auditFile: optional({
    env: 'AUDIT_FILE',
    doc: 'File for AUDIT=file; entries are appended. Several processes may share it. After a rotation a new file is created within a second.',
    type: text(),
    example: '/var/log/mcp/audit.jsonl',
  }),
  auditStreamLength: setting({
    env: 'AUDIT_STREAM_LENGTH',
    doc: 'Entries that stay in the stream with AUDIT=redis, roughly; the oldest are removed. 100,000 take about 60 MB. `audit export` copies them.',
    type: integer(1_000, 100_000_000),
    default: '100000',
  }),
};

export type AuditSettings = Values<typeof auditSettings>;

type Readable = Partial<AuditSettings> & { readonly redisTarget?: unknown };

export function judgeAudit({ audit = 'off', auditKeys, auditFile, redisTarget }: Readable): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (audit !== 'off' && !auditKeys) refuse('AUDIT_KEY', `is required when AUDIT is ${audit}`);
  if (audit === 'file' && !auditFile) refuse('AUDIT_FILE', 'is required when AUDIT is file');
  if (audit === 'redis' && !redisTarget) refuse('REDIS_URL', 'is required when AUDIT is redis');
  return problems;
}
