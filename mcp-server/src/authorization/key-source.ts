/** Owns the public keys of the issuer: which key a token header names, and when the key set is fetched (RFC 7517 §5). */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@mcp-oauth/shared/clock';
import {
  createRemoteDocument,
  DocumentUnavailable,
  type Fetch,
  fetchJson,
  type OnFailure,
  type RemoteDocument,
} from '@mcp-oauth/shared/remote-document';
import { type CryptoKey, createLocalJWKSet, errors, type JWK, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import { z } from 'zod';
import type { IssuerMetadata } from './issuer-metadata.ts';
import { TokenError } from './token-error.ts';

export interface KeySource {
  /** @throws TokenError with `unknown_key` or `keys_unavailable` */
  key(header: JWSHeaderParameters): Promise<CryptoKey>;
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
}

/** Seconds between two attempts: tokens with made-up key ids must not become requests to the issuer. */
const COOLDOWN = 30;

/** Milliseconds between two looks for the first keys. */
const PACE = 250;

interface KeySet {
  readonly find: LocalJWKSet;
  /** Text of each key by its id. */
  readonly keys: ReadonlyMap<string, string>;
}

export function createKeySource(options: KeySourceOptions): KeySource {
  const { jwksUrl, metadata, inside = (url) => url, fetch, clock, maxAge, onFailure, onRecovery } = options;
  let revision = 0;
  let known: KeySet['keys'] = new Map();

  const load = async (): Promise<KeySet> => {
    const set = parseKeySet(await fetchJson(fetch, jwksUrl ?? inside(keysOf(await metadata.get()))));
    if ([...known].some(([kid, key]) => set.keys.get(kid) !== key)) revision += 1;
    known = set.keys;
    return set;
  };
  const cooldown = Math.min(COOLDOWN, maxAge);
  const document = createRemoteDocument({ load, clock, maxAge, cooldown, onFailure, onRecovery });

  const setWith = async (kid: string): Promise<KeySet> => {
    const set = await document.get();
    return set.keys.has(kid) ? set : document.renew();
  };

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
    key: async (header) => {
      // Without a key id a rotation could not be told from a forgery; every issuer of RFC 9068 tokens sends one.
      if (typeof header.kid !== 'string') throw new TokenError('unknown_key');
      try {
        const set = await setWith(header.kid);
        return await set.find(header);
      } catch (error) {
        throw toTokenError(error);
      }
    },
  };
}

function toTokenError(error: unknown): unknown {
  if (error instanceof DocumentUnavailable) return new TokenError('keys_unavailable', error);
  const unmatched = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
  return unmatched ? new TokenError('unknown_key', error) : error;
}

function keysOf({ issuer, jwks_uri }: IssuerMetadata): string {
  if (!jwks_uri) throw new Error(`the metadata of ${issuer} has no jwks_uri`);
  if (issuer.startsWith('https:') && !jwks_uri.startsWith('https:')) {
    throw new Error(`the jwks_uri of ${issuer} is not https`);
  }
  return jwks_uri;
}

const isKey = (candidate: unknown): candidate is JWK => typeof (candidate as JWK | null)?.kty === 'string';

const keySet = z.object({ keys: z.array(z.custom<JWK>(isKey)) });

function parseKeySet(document: unknown): KeySet {
  const { keys } = keySet.parse(document);
  const named = keys.flatMap((key) => (key.kid === undefined ? [] : [[key.kid, JSON.stringify(key)] as const]));
  return { find: createLocalJWKSet({ keys }), keys: new Map(named) };
}
