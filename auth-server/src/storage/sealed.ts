/**
 * Ensures that secrets are not readable in the store: private keys, client secrets and tokens of upstreams are encrypted before
 * they are stored, with a key from the configuration (AES-256-GCM, bound to kind and id of the record).
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { decrypt, encrypt } from '@mcp-oauth/shared/crypto/aes-gcm';
import { StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { RecordStore, StoredRecord } from './record-store.ts';

/** Secret members by kind; `*` is the whole value. */
const SECRET: Readonly<Record<string, readonly string[]>> = {
  Keyring: ['*'],
  PreRegisteredClients: ['*'],
  Client: ['client_secret'],
  UpstreamSession: ['session', 'connection'],
  ConnectQuestion: ['handle'],
};

/** Prefix of an encrypted value: `sealed:<name of the key>:<nonce>:<tag>:<text>`, each in base64url. */
const MARK = 'sealed:';

/** How secrets in the store without encryption are treated: they are from a time without a key, or from an attacker with write access. */
export interface Unsealed {
  /** Absent: they are accepted and stay unencrypted. */
  readonly policy?: 'refuse' | 'seal' | undefined;
  /** Lifetime in seconds of a client that is encrypted when it is read. */
  readonly clientLifetime?: number;
  /** Called for a record that is treated as unknown because of its unencrypted secret. */
  readonly onRefused?: (id: string, kind: string) => void;
}

/** Seconds. The same lifetime as in keys/key-store.ts. */
const LIFETIME_OF_KEYS = 10 * 365 * 86_400;

const isSealed = (value: unknown): boolean => typeof value === 'string' && value.startsWith(MARK);

const NOTHING = Buffer.alloc(0);

const nameOf = (key: Buffer): string => createHash('sha256').update(key).digest('base64url').slice(0, 8);

/**
 * @param keys 32 bytes each; the first encrypts, all decrypt. To rotate, put a new key in front, and drop an old one when nothing is
 * encrypted with it any more
 */
export function createSealedStore(
  store: RecordStore,
  keys: readonly [Buffer, ...Buffer[]],
  unsealed: Unsealed = {},
): RecordStore {
  const byName = new Map(keys.map((key) => [nameOf(key), key]));

  const seal = (value: unknown, place: string): string => {
    const { nonce, tag, text } = encrypt(keys[0], JSON.stringify(value), place);
    const parts = [nonce, tag, text].map((part) => part.toString('base64url'));
    return MARK + [nameOf(keys[0]), ...parts].join(':');
  };
  const open = (sealed: unknown, place: string): unknown => {
    if (typeof sealed !== 'string' || !sealed.startsWith(MARK)) return sealed;
    const [name = '', ...parts] = sealed.slice(MARK.length).split(':');
    const key = byName.get(name);
    if (!key) throw new StartError(`STORAGE_KEYS: ${place} is encrypted with the key ${name}, which is not among them`);
    const [nonce = NOTHING, tag = NOTHING, text = NOTHING] = parts.map((part) => Buffer.from(part, 'base64url'));
    const opened = decrypt(key, { nonce, text, tag }, place);
    if (opened === undefined) {
      throw new StartError(`STORAGE_KEYS: ${place} cannot be decrypted: it was changed, or belongs to another record`);
    }
    return JSON.parse(opened);
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
      unsealed.onRefused?.(id, kind);
      return undefined;
    }
    if ('*' in record.value) return { ...record, value: open(record.value['*'], place) as JsonObject };
    const opened = SECRET[kind].filter((name) => name in record.value);
    const members = opened.map((name) => [name, open(record.value[name], `${place}:${name}`)]);
    return { ...record, value: { ...record.value, ...Object.fromEntries(members) } };
  };

  const sealed: RecordStore = {
    ...store,
    put: (kind, id, value, options) => store.put(kind, id, sealValue(kind, id, value), options),
    putIfAbsent: (kind, id, value, options) => store.putIfAbsent(kind, id, sealValue(kind, id, value), options),
    replace: async (kind, id, { before, after, ttl }) => {
      // Each encryption of the same value differs, so compare-and-set uses the stored ciphertext whose plaintext matches.
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
        // If another process has changed it meanwhile, that process has encrypted it.
        if (ttl !== undefined) await store.replace(kind, id, { before: record.value, after, ttl });
      }
      return opened;
    },
    take: async (kind, id) => openRecord(kind, id, await store.take(kind, id)),
  };
  const of = (kind: string): RecordStore => (SECRET[kind] ? sealed : store);
  return {
    ...store,
    put: (kind, ...rest) => of(kind).put(kind, ...rest),
    putIfAbsent: (kind, ...rest) => of(kind).putIfAbsent(kind, ...rest),
    replace: (kind, ...rest) => of(kind).replace(kind, ...rest),
    get: (kind, ...rest) => of(kind).get(kind, ...rest),
    take: (kind, ...rest) => of(kind).take(kind, ...rest),
  };
}

function hasUnsealed(kind: string, value: JsonObject): boolean {
  const secret = SECRET[kind] ?? [];
  if (secret.includes('*')) return !isSealed(value['*']);
  return secret.some((name) => value[name] !== undefined && !isSealed(value[name]));
}

const NOT_ENCRYPTED =
  'in the store is not encrypted, so anybody with write access to the store may have written it; to accept secrets that were stored without a key, start once with STORAGE_READ_UNSEALED=true';
