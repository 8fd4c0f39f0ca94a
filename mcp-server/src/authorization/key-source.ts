/** Owns the public keys of the issuer: when the key set is fetched, and in which order a token's signature is tried (RFC 7517 §5). */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  createRemoteDocument,
  DocumentUnavailable,
  fetchJson,
  type OnFailure,
  type RemoteDocument,
} from '@mcp-oauth/shared/remote-document';
import type { CryptoKey } from 'jose';
import { shown } from './finding.ts';
import type { IssuerMetadata } from './issuer-metadata.ts';
import { type KeyName, type KeySet, readKeySet } from './key-set.ts';
import { TokenError } from './token-error.ts';

export interface KeySource {
  /**
   * The keys that may have signed a token, one after another while the caller finds that the last one did not. After those that
   * are known the set is fetched again, as a key may be new.
   * @throws TokenError with `unknown_key` when there is none, or `keys_unavailable`
   */
  candidates(name: KeyName): AsyncIterable<CryptoKey>;
  /** Resolves when there are keys, and after so many milliseconds in any case. Never fails. */
  prepare(patience: number): Promise<void>;
  /** Grows whenever a key was withdrawn or altered: what was verified before then must be verified again. */
  revision(): number;
  /** When the keys were last read, in milliseconds since the epoch; `undefined` before the first time. */
  loadedAt(): number | undefined;
}

export interface KeySourceOptions {
  /** Absent: the `jwks_uri` of the issuer's metadata. */
  readonly jwksUrl: string | undefined;
  readonly metadata: Pick<RemoteDocument<IssuerMetadata>, 'get'>;
  /** Where a public URL of the issuer is asked for. */
  readonly inside?: (url: string) => string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Seconds after which the keys are read again. */
  readonly maxAge: number;
  readonly onFailure: OnFailure;
  readonly onRecovery?: () => void;
  /** Gets why members of the set can't be used, when that is news. */
  readonly onLeftOut?: (members: readonly string[]) => void;
}

/** Seconds between two attempts: tokens with made-up key ids must not become requests to the issuer. */
const COOLDOWN = 30;

/** Milliseconds between two looks for the first keys. */
const PACE = 250;

/** Keys that are tried for one token. Real sets have up to ten, and nobody must be able to have hundreds tried. */
const MOST_TRIED = 16;

export function createKeySource(options: KeySourceOptions): KeySource {
  const { jwksUrl, metadata, inside = (url) => url, fetch, clock, maxAge, onFailure, onRecovery, onLeftOut } = options;
  let revision = 0;
  let known: KeySet = { texts: new Set(), names: [], leftOut: [], candidates: () => [] };

  const load = async (): Promise<KeySet> => {
    const set = readKeySet(await fetchJson(fetch, jwksUrl ?? inside(keysOf(await metadata.get()))));
    if (!known.texts.isSubsetOf(set.texts)) revision += 1;
    if (set.leftOut.length > 0 && set.leftOut.join() !== known.leftOut.join()) onLeftOut?.(set.leftOut);
    known = set;
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
    revision: () => {
      document.touch();
      return revision;
    },
    candidates: async function* (name) {
      const tried = new Set<string>();
      for (const ask of [document.get, document.renew]) {
        const set = await ask.call(document).catch(unavailable);
        for (const { id, open } of set.candidates(name)) {
          const key = tried.has(id) || tried.size === MOST_TRIED ? undefined : await open(name.alg);
          if (!key) continue;
          tried.add(id);
          yield key;
        }
      }
      if (tried.size === 0) throw unknownKey(name, known, jwksUrl ? 'JWKS_URL' : 'ISSUER');
    },
  };
}

function unavailable(error: unknown): never {
  throw error instanceof DocumentUnavailable ? new TokenError('keys_unavailable', {}, error) : error;
}

const unknownKey = ({ alg, kid }: KeyName, { names }: KeySet, setting: string): TokenError =>
  new TokenError('unknown_key', {
    header: 'kid',
    expected: `a key for ${alg}, of ${shown(names)}`,
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
