/**
 * Owns that secrets are not readable in the store: private keys and client secrets are encrypted before they get there, with
 * a key that only the configuration knows (AES-256-GCM, bound to the place of the record).
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject, RecordStore, StoredRecord } from './record-store.ts';

const ALGORITHM = 'aes-256-gcm';

/** Members that are secret, by kind; `*` is the whole value. */
const SECRET: Readonly<Record<string, readonly string[]>> = {
  Keyring: ['*'],
  PreRegisteredClients: ['*'],
  Client: ['client_secret'],
};

/** Marks what is sealed: `sealed:<name of the key>:<nonce>:<tag>:<text>`, each in base64url. */
const MARK = 'sealed:';

/** What becomes of secrets that stand in the store without encryption: from before there was a key, or from somebody who can write there. */
export interface Unsealed {
  /** Absent: they are read and left as they are. */
  readonly policy?: 'refuse' | 'seal' | undefined;
  /** Seconds that a client lives which is encrypted as it is read. */
  readonly clientLifetime?: number;
  /** Told of a client that is treated as unknown because of its secret. */
  readonly onRefused?: (client: string) => void;
}

/** Seconds. As where they are written. */
const LIFETIME_OF_KEYS = 10 * 365 * 86_400;

const isSealed = (value: unknown): boolean => typeof value === 'string' && value.startsWith(MARK);

const nameOf = (key: Buffer): string => createHash('sha256').update(key).digest('base64url').slice(0, 8);

/**
 * @param keys 32 bytes each; the first seals, all open, so that a new one is put in front and an old one is dropped when
 * nothing is sealed with it any more
 */
export function createSealedStore(
  store: RecordStore,
  keys: readonly [Buffer, ...Buffer[]],
  unsealed: Unsealed = {},
): RecordStore {
  const byName = new Map(keys.map((key) => [nameOf(key), key]));

  const seal = (value: unknown, place: string): string => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv(ALGORITHM, keys[0], nonce).setAAD(Buffer.from(place));
    const text = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return (
      MARK +
      [nameOf(keys[0]), ...[nonce, cipher.getAuthTag(), text].map((part) => part.toString('base64url'))].join(':')
    );
  };
  const open = (sealed: unknown, place: string): unknown => {
    if (typeof sealed !== 'string' || !sealed.startsWith(MARK)) return sealed;
    const [name = '', nonce = '', tag = '', text = ''] = sealed.slice(MARK.length).split(':');
    const key = byName.get(name);
    if (!key) throw new Error(`${place} is sealed with the key ${name}, which is not in STORAGE_KEYS`);
    const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(nonce, 'base64url')).setAAD(Buffer.from(place));
    decipher.setAuthTag(Buffer.from(tag, 'base64url'));
    return JSON.parse(decipher.update(text, 'base64url', 'utf8') + decipher.final('utf8'));
  };

  const sealValue = (kind: string, id: string, value: JsonObject): JsonObject => {
    const place = `${kind}:${id}`;
    if (SECRET[kind]?.includes('*')) return { '*': seal(value, place) };
    const secrets = Object.entries(value).filter(
      ([name, member]) => SECRET[kind]?.includes(name) && member !== undefined,
    );
    return {
      ...value,
      ...Object.fromEntries(secrets.map(([name, member]) => [name, seal(member, `${place}:${name}`)])),
    };
  };
  const openRecord = (kind: string, id: string, record: StoredRecord | undefined): StoredRecord | undefined => {
    if (!record || !SECRET[kind]) return record;
    const place = `${kind}:${id}`;
    if (unsealed.policy === 'refuse' && hasUnsealed(kind, record.value)) {
      if (SECRET[kind].includes('*')) throw new StartError(`STORAGE_KEYS: ${place} ${NOT_ENCRYPTED}`);
      unsealed.onRefused?.(id);
      return undefined;
    }
    if ('*' in record.value) return { ...record, value: open(record.value['*'], place) as JsonObject };
    const opened = SECRET[kind].filter((name) => name in record.value);
    const members = opened.map((name) => [name, open(record.value[name], `${place}:${name}`)]);
    return { ...record, value: { ...record.value, ...Object.fromEntries(members) } };
  };

  return {
    ...store,
    put: (kind, id, value, options) => store.put(kind, id, sealValue(kind, id, value), options),
    putIfAbsent: (kind, id, value, options) => store.putIfAbsent(kind, id, sealValue(kind, id, value), options),
    replace: async (kind, id, { before, after, ttl }) => {
      // The same value is sealed differently each time: what must still stand there is the text that was opened.
      const sealed = await store.get(kind, id);
      if (!isDeepStrictEqual(openRecord(kind, id, sealed)?.value, before)) return false;
      return store.replace(kind, id, { before: sealed?.value ?? before, after: sealValue(kind, id, after), ttl });
    },
    get: async (kind, id) => {
      const record = await store.get(kind, id);
      const opened = openRecord(kind, id, record);
      if (record && opened && unsealed.policy === 'seal' && hasUnsealed(kind, record.value)) {
        const ttl = SECRET[kind]?.includes('*') ? LIFETIME_OF_KEYS : unsealed.clientLifetime;
        const after = sealValue(kind, id, opened.value);
        // Whoever has changed it meanwhile has encrypted it.
        if (ttl !== undefined) await store.replace(kind, id, { before: record.value, after, ttl });
      }
      return opened;
    },
    take: async (kind, id) => openRecord(kind, id, await store.take(kind, id)),
  };
}

function hasUnsealed(kind: string, value: JsonObject): boolean {
  const secret = SECRET[kind] ?? [];
  if (secret.includes('*')) return !isSealed(value['*']);
  return secret.some((name) => value[name] !== undefined && !isSealed(value[name]));
}

const NOT_ENCRYPTED =
  'in the store is not encrypted, so whoever can write there may have made it; to take over what was stored without a key, start once with STORAGE_READ_UNSEALED=true';
