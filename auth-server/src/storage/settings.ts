/** Owns the settings of the storage: which backend, where it is, and the keys that encrypt what is stored. */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { judgeRedis, redisSettings } from '@mcp-oauth/shared/settings/redis';
import { flag, oneOf, secretKeys, text } from '@mcp-oauth/shared/settings/types';

export const storageSettings = {
  ...redisSettings,
  storageKeys: optional({
    env: 'STORAGE_KEYS',
    doc: 'Keys that encrypt private keys and client secrets before they are stored: 32 bytes each in base64, separated by commas. The first encrypts, all decrypt. Required in production; make one with `openssl rand -base64 32`.',
    type: secretKeys(),
    secret: true,
  }),
  storageReadUnsealed: optional({
    env: 'STORAGE_READ_UNSEALED',
    doc: 'Whether keys and client secrets are taken over that were stored without encryption, and are encrypted as they are read. Not set: in production they are refused, elsewhere read. For the first starts with STORAGE_KEYS; take it away afterwards, as whoever can write to the store could give this server keys of theirs.',
    type: flag(),
  }),
  dataDir: setting({
    env: 'DATA_DIR',
    doc: 'Folder of the file with clients, grants, sessions and signing keys. Made when it is missing; a relative path starts at the root of the project.',
    type: text(),
    default: '.data',
  }),
  storage: optional({
    env: 'STORAGE',
    doc: 'Where everything is kept. Not set: redis where REDIS_URL is set, else sqlite. In production sqlite, which is for one process on one machine, has to be asked for here.',
    type: oneOf('redis', 'sqlite'),
  }),
};

type StorageSettings = Partial<Values<typeof storageSettings>> & { readonly environment?: string | undefined };

export function judgeStorage(settings: StorageSettings): readonly Problem[] {
  const { storage, redisUrl, storageKeys, environment } = settings;
  const problems: Problem[] = [...judgeRedis(settings)];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  if (storage === 'redis' && !redisUrl) refuse('REDIS_URL', 'is required when STORAGE is redis');
  if (storage === 'sqlite' && redisUrl) refuse('STORAGE', 'is sqlite although REDIS_URL is set');
  if (environment !== 'production') return problems;
  if (!redisUrl && !storage) {
    refuse('REDIS_URL', 'is required in production; for one process without Redis set STORAGE to sqlite');
  }
  if (!storageKeys?.length) refuse('STORAGE_KEYS', 'is required in production: a key that encrypts what is stored');
  return problems;
}

/** What becomes of secrets that stand in the store without encryption; `undefined`: they are read. */
export function unsealedPolicyOf({
  storageReadUnsealed,
  environment,
}: Pick<StorageSettings, 'storageReadUnsealed' | 'environment'>): 'refuse' | 'seal' | undefined {
  if (storageReadUnsealed) return 'seal';
  return environment === 'production' || storageReadUnsealed === false ? 'refuse' : undefined;
}
