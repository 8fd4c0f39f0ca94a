/**
 * Owns how the keys of a trusted issuer are read: at the address that the operator gave, or the one in the metadata of the issuer
 * (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
 */
import { AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH, urlPath } from '@mcp-oauth/shared/contract';
import { freshFor } from '@mcp-oauth/shared/documents/freshness';
import { type PublicKey, readKeySet } from '@mcp-oauth/shared/documents/key-set';
import {
  createRemoteDocument,
  fetchDocument,
  fetchJson,
  type RemoteDocumentOptions,
} from '@mcp-oauth/shared/documents/remote-document';
import { isObject } from '@mcp-oauth/shared/json';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { IssuerKeys } from './signature.ts';

interface KeySource {
  readonly issuer: string;
  /** Absent: the `jwks_uri` of its metadata. */
  readonly jwksUrl?: string | undefined;
}

interface Dependencies extends Pick<RemoteDocumentOptions<unknown>, 'clock' | 'onFailure' | 'onRecovery'> {
  readonly fetch: Fetch;
}

interface KeySet {
  readonly keys: readonly PublicKey[];
  /** Seconds. */
  readonly freshFor: number;
}

const BOUNDS = { min: 60, usual: 300, max: 3_600 };

/** A copy is renewed at most every 30 seconds, whatever strangers send, and used for a week while the issuer is down. */
export function createIssuerKeys({ issuer, jwksUrl }: KeySource, { fetch, ...options }: Dependencies): IssuerKeys {
  let isAway = false;
  const document = createRemoteDocument<KeySet>({
    ...options,
    onFailure: (error, isNews) => {
      isAway = true;
      options.onFailure(error, isNews);
    },
    onRecovery: () => {
      isAway = false;
      options.onRecovery?.();
    },
    maxAge: (copy) => copy.freshFor,
    load: async () => {
      const url = jwksUrl ?? (await keysUrlOf(issuer, fetch));
      const { body, headers } = await fetchDocument(fetch, url);
      const keys = readKeySet(body);
      if (!keys) throw new Error(`${url} is not a JSON Web Key Set`);
      return { keys, freshFor: freshFor(Object.fromEntries(headers), BOUNDS) };
    },
  });
  return {
    isAway: () => isAway,
    get: async () => (await document.get()).keys,
    renew: async () => (await document.renew()).keys,
  };
}

async function keysUrlOf(issuer: string, fetch: Fetch): Promise<string> {
  const base = issuer.replace(/\/$/, '');
  const path = urlPath(issuer);
  const metadata = await fetchJson(fetch, base + OPENID_CONFIGURATION_PATH).catch((first: unknown) =>
    fetchJson(fetch, new URL(issuer).origin + AUTHORIZATION_SERVER_PATH + path).catch(() => Promise.reject(first)),
  );
  const { issuer: named, jwks_uri: url } = isObject(metadata) ? metadata : {};
  if (named !== issuer) throw new Error(`the metadata of ${issuer} names another issuer`);
  if (typeof url !== 'string' || !URL.canParse(url)) throw new Error(`the metadata of ${issuer} has no jwks_uri`);
  // Whoever changes the keys on their way signs whatever they like.
  if (protocolOf(url) !== 'https:' && protocolOf(issuer) === 'https:') throw new Error('the jwks_uri is not https');
  return url;
}

const protocolOf = (url: string): string => new URL(url).protocol;
