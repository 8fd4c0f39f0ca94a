/** Owns the settings of the storage: the backend, its location, and the keys that encrypt stored secrets. */
import { judgeRedis, redisSettings } from '@mcp-oauth/shared/redis/settings';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { flag, oneOf, secretKeys, text } from '@mcp-oauth/shared/settings/types';

export const storageSettings = {
  ...redisSettings,
  storageKeys: optional({
    env: 'STORAGE_KEYS',
    doc: 'Keys that encrypt private keys, client secrets and tokens of identity providers before they are stored: 32 bytes each in base64, separated by commas. The first encrypts, all decrypt. Required in production, and with `tools` in CONNECTOR_<ID>_USE; make one with `openssl rand -base64 32`.',
    type: secretKeys(),
    secret: true,
  }),
  storageReadUnsealed: optional({
    env: 'STORAGE_READ_UNSEALED',
    doc: 'Whether private keys and client secrets that were stored without encryption are accepted; they are encrypted when they are read. Not set: refused in production, accepted elsewhere. Set it for the first starts with STORAGE_KEYS and remove it afterwards: while it is set, anybody with write access to the store can give this server keys of their own.',
    type: flag(),
  }),
  dataDir: setting({
    env: 'DATA_DIR',
    doc: 'Folder of the file with clients, grants, sessions and signing keys. Created if it is missing; a relative path starts at the root of the project.',
    type: text(),
    default: '.data',
  }),
  storage: optional({
    env: 'STORAGE',
    doc: 'Storage backend: redis or sqlite. Not set: redis if REDIS_URL is set, else sqlite. sqlite is for one process on one machine, so production uses it only if it is set here.',
    type: oneOf('redis', 'sqlite'),
  }),
};

type StorageSettings = Partial<Values<typeof storageSettings>> & { readonly environment?: string | undefined };

export function judgeStorage(settings: StorageSettings): readonly Problem[] {
  const { storage, redisTarget, storageKeys, environment } = settings;
  const problems: Problem[] = [...judgeRedis(settings)];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (storage === 'redis' && !redisTarget) refuse('REDIS_URL', 'is required when STORAGE is redis');
  if (storage === 'sqlite' && redisTarget) refuse('STORAGE', 'is sqlite although REDIS_URL is set');
  if (environment !== 'production') return problems;
  if (!redisTarget && !storage) {
    refuse('REDIS_URL', 'is required in production; for one process without Redis set STORAGE to sqlite');
  }
  if (!storageKeys?.length) refuse('STORAGE_KEYS', 'is required in production: a key that encrypts stored secrets');
  return problems;
}

/** How secrets in the store that are not encrypted are treated; `undefined`: they are read. */
export function unsealedPolicyOf({
  storageReadUnsealed,
  environment,
}: Pick<StorageSettings, 'storageReadUnsealed' | 'environment'>): 'refuse' | 'seal' | undefined {
  if (storageReadUnsealed) return 'seal';
  return environment === 'production' || storageReadUnsealed === false ? 'refuse' : undefined;
}
