/**
 * Owns the documents that clients publish (draft-ietf-oauth-client-id-metadata-document): the metadata at the URL that is their
 * client id, and the keys at their `jwks_uri`, each read from its own URL only.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { CreateRateLimit } from '../storage/rate-limit.ts';
import type { RecordStore } from '../storage/record-store.ts';
import type { FindCopy } from './copies.ts';
import { createCopyFallback } from './copy-fallback.ts';
import { type Judge, readKeySet, readMetadata } from './document.ts';
import { createDocumentCache, type DocumentKind } from './document-cache.ts';
import { readDocumentUrl } from './fetch/document-url.ts';
import type { Get } from './fetch/get.ts';
import type { HostPolicy } from './fetch/hosts.ts';

/** A short upper bound: a document that was replaced after a break-in takes effect within the hour. */
const METADATA: DocumentKind = {
  record: 'ClientMetadataDocument',
  limit: 5 * 1_024,
  bounds: { min: 60, max: 3_600, usual: 300 },
  most: 500,
};

/** Shorter, as a client may sign with a new key soon after it published it. */
const KEY_SET: DocumentKind = {
  record: 'ClientKeySet',
  limit: 64 * 1_024,
  bounds: { min: 30, max: 300, usual: 60 },
  most: 100,
};

/** Documents of one host per minute: known ones in total, unknown ones for each caller. */
const HOST_LIMIT = 60;

export interface ClientDocumentsOptions {
  readonly hosts: HostPolicy;
  /** Seconds that the last valid copy may be used while its host is unreachable. */
  readonly staleFor: number;
  /** Seconds that a document is stored before anybody has approved its client; absent: `staleFor`. */
  readonly unapprovedFor?: number;
  /** Maximum number of unknown documents per hour for one address. */
  readonly callerLimit: number;
}

export interface ClientDocumentsDependencies {
  /** Copies of documents that the operator provides. */
  readonly findCopy?: FindCopy | undefined;
  readonly get: Get;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly createRateLimit: CreateRateLimit;
}

/** The address for which a document is read, as the limits count it, if there is one. */
type Caller = string | undefined;

export interface PublishedClient {
  readonly clientId: string;
  readonly jwksUri?: string | undefined;
}

/** Both ways to read reject with a ClientDocumentError. */
export interface ClientDocuments {
  /** @param judge checks everything that this folder does not know */
  metadata(clientId: string, judge: Judge, caller: Caller): Promise<JsonObject>;
  keySet(url: string, caller: Caller): Promise<JsonObject>;
  /** Call when an approval of a client is given or used: its document and keys are then stored until they are stale. */
  keep(client: PublishedClient): Promise<void>;
  /** The last document of a client that was read, however old, without a request. */
  stored(clientId: string): Promise<JsonObject | undefined>;
  /** When the operator's copy that is used for a client's document was fetched, in seconds since the epoch. */
  copiedAt(clientId: string): number | undefined;
  /** Whether this server may read a URL. */
  isFetchable(url: string): boolean;
}

export function createClientDocuments(
  options: ClientDocumentsOptions,
  dependencies: ClientDocumentsDependencies,
): ClientDocuments {
  const { hosts, staleFor, callerLimit, unapprovedFor = staleFor } = options;
  const { createRateLimit, findCopy: find, ...others } = dependencies;
  const perHost = createRateLimit({ name: 'client-host', points: HOST_LIMIT, seconds: 60 });
  const perCaller = createRateLimit({ name: 'client-document', points: callerLimit, seconds: 3_600 });
  const forCache = { ...others, hosts, staleFor, unapprovedFor, perHost, perCaller };
  const copyFallback = find && createCopyFallback({ ...others, find });
  const documents = createDocumentCache(METADATA, { ...forCache, copyFallback });
  const keySets = createDocumentCache(KEY_SET, forCache);
  // CLIENT_METADATA_ALLOW restricts client ids; an accepted client may host its keys elsewhere.
  const anywhere = { ...hosts, allow: ['*'] };
  const keySetUrl = (url: string) => readDocumentUrl(URL.parse(url)?.href ?? url, anywhere);
  return {
    metadata: async (clientId, judge, caller) =>
      documents.read(readDocumentUrl(clientId, hosts), {
        read: (url, document) => readMetadata(url, document, judge),
        caller,
      }),
    keySet: async (url, caller) => keySets.read(keySetUrl(url), { read: readKeySet, caller }),
    keep: async ({ clientId, jwksUri }) => {
      const [id, keys] = [clientId, jwksUri ?? ''].map((url) => URL.parse(url));
      await Promise.all([id && documents.keep(id), keys && keySets.keep(keys)]);
    },
    stored: async (clientId) => {
      const url = URL.parse(clientId);
      const record = url && (await dependencies.store.get(METADATA.record, url.href));
      return record?.value.document as JsonObject | undefined;
    },
    copiedAt: (clientId) => {
      const url = URL.parse(clientId);
      return url ? documents.copiedAt(url) : undefined;
    },
    isFetchable: (url) => {
      try {
        return keySetUrl(url) !== undefined;
      } catch {
        return false;
      }
    },
  };
}
