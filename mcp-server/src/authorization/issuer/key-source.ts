/**
 * Owns the public keys of the issuer: when the key set is fetched, and the order in which keys are tried for a
 * token (RFC 7517 §5).
 */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import {
  createRemoteDocument,
  DocumentUnavailable,
  fetchJson,
  type OnFailure,
  type RemoteDocument,
} from '@mcp-oauth/shared/documents/remote-document';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { CryptoKey } from 'jose';
import { shown } from '../finding.ts';
import { TokenError } from '../token-error.ts';
import type { IssuerMetadata } from './issuer-metadata.ts';
import { type KeyName, type KeySet, readKeySet } from './key-set.ts';

export interface KeySource {
  /**
   * The keys that may have signed a token, one at a time until the caller stops. After the known keys, the key set
   * is fetched again, as it may have a new key.
   * @param pace `at once` for a document of the issuer itself: a stranger cannot make it name other keys
   * @throws TokenError with `unknown_key` when no key matches, or `keys_unavailable`
   */
  candidates(name: KeyName, pace?: 'in turn' | 'at once'): AsyncIterable<CryptoKey>;
  /** Fetches the key set now. Never rejects. */
  reload(): Promise<void>;
  /** Resolves when there are keys, at the latest after so many milliseconds. Never rejects. */
  prepare(patience: number): Promise<void>;
  /** Whether the issuer has published a key with this id, and does so no more. */
  hasWithdrawn(keyId: string): boolean;
  /** @param listener called when a key was withdrawn or altered */
  onWithdrawn(listener: () => void): void;
  /** Increases when a key was withdrawn or altered: tokens that were verified before must be verified again. */
  revision(): number;
  /** When the keys were last fetched, in milliseconds since the epoch; `undefined` before the first time. */
  loadedAt(): number | undefined;
}

export interface KeySourceOptions {
  /** Absent: the `jwks_uri` of the issuer's metadata. */
  readonly jwksUrl: string | undefined;
  readonly metadata: Pick<RemoteDocument<IssuerMetadata>, 'get'>;
  /** Converts a public URL of the issuer to the one by which this server reaches it. */
  readonly inside?: (url: string) => string;
  /** The setting that says where the keys are, for the log of a refused token. */
  readonly setting?: string | undefined;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Seconds after which the keys are fetched again. */
  readonly maxAge: number;
  readonly onFailure: OnFailure;
  readonly onRecovery?: () => void;
  /** Called with the reasons why members of the set were skipped, when they have changed. */
  readonly onLeftOut?: (members: readonly string[]) => void;
}

/** Minimum seconds between two fetches: tokens with invented key ids must not cause many requests to the issuer. */
const COOLDOWN = 30;

/** Milliseconds between two attempts to get the first keys. */
const PACE = 250;

/**
 * Maximum number of keys that are tried for one token. Real sets have up to ten keys, and nobody may cause hundreds
 * of verifications.
 */
const MOST_TRIED = 16;

/** Ids of keys that are remembered after their withdrawal, which is longer than any token of theirs should live. */
const MOST_WITHDRAWN = 64;

export function createKeySource(options: KeySourceOptions): KeySource {
  const { jwksUrl, metadata, inside = (url) => url, fetch, clock, maxAge, onFailure, onRecovery, onLeftOut } = options;
  const { setting = jwksUrl ? 'JWKS_URL' : 'ISSUER' } = options;
  let revision = 0;
  const withdrawn = new BoundedMap<string, true>(MOST_WITHDRAWN);
  let tell = (): void => {};
  let known: KeySet = { texts: new Set(), names: [], leftOut: [], candidates: () => [] };

  const load = async (): Promise<KeySet> => {
    const set = readKeySet(await fetchJson(fetch, jwksUrl ?? inside(keysOf(await metadata.get()))));
    const isWithdrawn = !known.texts.isSubsetOf(set.texts);
    if (set.leftOut.length > 0 && set.leftOut.join() !== known.leftOut.join()) onLeftOut?.(set.leftOut);
    for (const name of known.names) withdrawn.set(name, true);
    for (const name of set.names) withdrawn.delete(name);
    known = set;
    if (isWithdrawn) {
      revision += 1;
      tell();
    }
    return set;
  };
  const cooldown = Math.min(COOLDOWN, maxAge);
  const document = createRemoteDocument({ load, clock, maxAge, cooldown, onFailure, onRecovery });

  return {
    loadedAt: () => document.loadedAt(),
    prepare: async (patience) => {
      const until = clock.now() + patience;
      while (document.loadedAt() === undefined && clock.now() < until) {
        const found = await document.get().catch(() => undefined);
        if (!found) await setTimeout(PACE, undefined, { ref: false });
      }
    },
    hasWithdrawn: (keyId) => withdrawn.has(keyId),
    onWithdrawn: (listener) => {
      tell = listener;
    },
    revision: () => {
      document.touch();
      return revision;
    },
    reload: async () => {
      // `onFailure` has reported why it failed.
      await document.reload().catch(() => {});
    },
    candidates: async function* (name, pace = 'in turn') {
      const tried = new Set<string>();
      for (const ask of [document.recent, pace === 'at once' ? document.reload : document.renew]) {
        const set = await ask.call(document).catch(unavailable);
        for (const { id, open } of set.candidates(name)) {
          const key = tried.has(id) || tried.size === MOST_TRIED ? undefined : await open(name.alg);
          if (!key) continue;
          tried.add(id);
          yield key;
        }
      }
      if (tried.size === 0) throw unknownKey(name, known, setting);
    },
  };
}

function unavailable(error: unknown): never {
  throw error instanceof DocumentUnavailable ? new TokenError('keys_unavailable', {}, error) : error;
}

const unknownKey = ({ alg, kid }: KeyName, { names }: KeySet, setting: string): TokenError =>
  new TokenError('unknown_key', {
    header: 'kid',
    expected: names.length > 0 ? `a key for ${alg}, of ${shown(names)}` : `a key for ${alg}`,
    found: shown(kid),
    setting,
  });

function keysOf({ issuer, jwks_uri }: IssuerMetadata): string {
  if (!jwks_uri) throw new Error(`the metadata of ${issuer} has no jwks_uri`);
  if (issuer.startsWith('https:') && !jwks_uri.startsWith('https:')) {
    throw new Error(`the jwks_uri of ${issuer} is not https`);
  }
  return jwks_uri;
}
