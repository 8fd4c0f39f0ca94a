/**
 * Owns when a client document is read again (draft-ietf-oauth-client-id-metadata-document §5.2, RFC 9111), and what happens if
 * that fails (RFC 5861 §4): all replicas share the last valid copy. It stays usable during an outage of the client's host, but not
 * after a withdrawal. A stored copy was read from that URL, and is validated again when it is read from the store.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import { type FreshnessBounds, freshFor } from '@mcp-oauth/shared/documents/freshness';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { RateLimit } from '../storage/rate-limit.ts';
import type { RecordStore } from '../storage/record-store.ts';
import type { CopyFallback } from './copy-fallback.ts';
import { parseAnswer } from './document.ts';
import { ClientDocumentError } from './document-error.ts';
import type { Get } from './fetch/get.ts';
import { type HostPolicy, mayBePrivate } from './fetch/hosts.ts';

/** Seconds until the next request to a host that failed. */
const PAUSE = 30;
/** Seconds that a copy is used although its host answers that the document is missing: it may be a bad deployment. */
const MISSING_GRACE = 3_600;

export interface DocumentKind {
  /** Kind of its records in the store. */
  readonly record: string;
  /** Largest document in bytes. */
  readonly limit: number;
  readonly bounds: FreshnessBounds;
  /** Maximum number of documents kept in memory. */
  readonly most: number;
}

export interface DocumentCacheDependencies {
  readonly get: Get;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hosts: HostPolicy;
  readonly perHost: RateLimit;
  /** Limits requests for documents that are not known yet, by caller. */
  readonly perCaller: RateLimit;
  /** Seconds after its last valid answer that a document may be used while its host is unreachable. */
  readonly staleFor: number;
  /** Seconds that a document is stored before a person has approved its client. It is short because anybody can cause a fetch. */
  readonly unapprovedFor: number;
  /** Absent: there are no copies of the operator. */
  readonly copyFallback?: CopyFallback | undefined;
}

interface Demand {
  /** Validates a document that was read. @throws ClientDocumentError */
  readonly read: (url: URL, document: unknown) => JsonObject;
  /** The caller that the limits count. */
  readonly caller: string | undefined;
}

/** The last valid answer. */
interface Copy {
  readonly document: JsonObject;
  readonly etag?: string | undefined;
  readonly readAt: number;
  readonly freshUntil: number;
}

type Entry = { readonly until: number } & (
  | { readonly document: JsonObject; readonly copiedAt?: number }
  | { readonly failure: Error }
);

export interface DocumentCache {
  /** @returns the document at a URL; rejects with a ClientDocumentError */
  read(url: URL, demand: Demand): Promise<JsonObject>;
  /** Keeps a stored document until it is stale, because somebody has approved its client. */
  keep(url: URL): Promise<void>;
  /** When the operator's copy was fetched, in seconds since the epoch; absent if the last document did not come from a copy. */
  copiedAt(url: URL): number | undefined;
}

export function createDocumentCache(kind: DocumentKind, dependencies: DocumentCacheDependencies): DocumentCache {
  const { store, clock, copyFallback } = dependencies;
  const recent = new BoundedMap<string, Entry>(kind.most);
  const running = new Map<string, Promise<JsonObject>>();
  const now = () => seconds(clock);

  /** Only while there is no record of a valid answer, not even an outdated one or one that newer rules refuse. */
  const findFallback = async (url: URL, failure: ClientDocumentError, read: Demand['read']) => {
    if (!copyFallback || (await store.get(kind.record, url.href))) return undefined;
    return copyFallback.after(url, failure, read);
  };

  const refresh = async (url: URL, { copy, hasFallback }: Known, { read, caller }: Demand): Promise<JsonObject> => {
    try {
      const fresh = await ask(url, { kind, dependencies, copy, read, caller: hasFallback ? undefined : caller });
      recent.set(url.href, { until: fresh.freshUntil, document: fresh.document });
      await write(url, fresh, kind, dependencies);
      await copyFallback?.onAnswer(url.href);
      return fresh.document;
    } catch (error) {
      if (!(error instanceof ClientDocumentError)) throw error;
      const said = { url: `${url.origin}${url.pathname}`, reason: error.reason, detail: error.message };
      if (copy && lastsUntil(copy, error, dependencies.staleFor) > now()) {
        dependencies.log.warn({ ...said, readAt: copy.readAt }, 'client document could not be read again');
        recent.set(url.href, { until: now() + PAUSE, document: copy.document });
        return copy.document;
      }
      dependencies.log.info(said, 'client document could not be read');
      if (copy && error.outcome === 'unusable') {
        await copyFallback?.onRefusal(url.href);
        await store.delete(kind.record, url.href);
      }
      const fallback = copy ? undefined : await findFallback(url, error, read);
      if (fallback) {
        recent.set(url.href, { until: now() + PAUSE, document: fallback.document, copiedAt: fallback.fetchedAt });
        return fallback.document;
      }
      // Only the failure is remembered, never the answer. A limit is not a failure of the document.
      if (error.outcome !== 'limited') recent.set(url.href, { until: now() + PAUSE, failure: error });
      throw error;
    }
  };

  const read: DocumentCache['read'] = async (url, demand) => {
    const entry = recent.use(url.href);
    if (entry && entry.until > now()) return settle(entry);
    const already = running.get(url.href);
    if (already) return already;
    const copy = await find(url, { kind, dependencies, read: demand.read });
    if (copy && copy.freshUntil > now()) {
      recent.set(url.href, { until: copy.freshUntil, document: copy.document });
      return copy.document;
    }
    const hasFallback = !copy && ((await copyFallback?.has(url.href)) ?? false);
    const isUnknown = !copy && !hasFallback;
    if (isUnknown && demand.caller !== undefined) await withinLimit(dependencies.perCaller, demand.caller, url);
    const other = running.get(url.href);
    if (other) return other;
    const mine = refresh(url, { copy, hasFallback }, demand).finally(() => running.delete(url.href));
    running.set(url.href, mine);
    return mine;
  };
  return {
    read,
    keep: (url) => store.touch(kind.record, url.href, dependencies.staleFor),
    copiedAt: (url) => {
      const entry = recent.use(url.href);
      return entry && 'document' in entry ? entry.copiedAt : undefined;
    },
  };
}

/** A stored document keeps its expiry, so that reading it again neither extends nor shortens its life. */
async function write(
  url: URL,
  copy: Copy,
  kind: DocumentKind,
  { store, staleFor, unapprovedFor }: DocumentCacheDependencies,
) {
  const standing = await store.get(kind.record, url.href);
  const after = { ...copy };
  if (standing && (await store.replace(kind.record, url.href, { before: standing.value, after }))) return;
  await store.put(kind.record, url.href, after, { ttl: Math.min(staleFor, unapprovedFor) });
}

interface Known {
  readonly copy: Copy | undefined;
  /** The operator has provided a copy. */
  readonly hasFallback: boolean;
}

function settle(entry: Entry): JsonObject {
  if ('failure' in entry) throw entry.failure;
  return entry.document;
}

type Search = {
  readonly kind: DocumentKind;
  readonly dependencies: DocumentCacheDependencies;
  readonly read: Demand['read'];
};

async function find(url: URL, { kind, dependencies, read }: Search): Promise<Copy | undefined> {
  const record = await dependencies.store.get(kind.record, url.href);
  if (!record) return undefined;
  const copy = record.value as unknown as Copy;
  if (copy.readAt + dependencies.staleFor <= seconds(dependencies.clock)) return undefined;
  try {
    return { ...copy, document: read(url, copy.document) };
  } catch {
    // The rules have changed since the document was stored.
    return undefined;
  }
}

type Asking = Search & { readonly copy: Copy | undefined; readonly caller: string | undefined };

async function ask(url: URL, { kind, dependencies, copy, read, caller }: Asking): Promise<Copy> {
  // Unknown documents of a host are counted per caller, so that a caller who invents URLs cannot block the clients of others.
  await withinLimit(dependencies.perHost, copy ? `known:${url.host}` : `new:${url.host} ${caller ?? ''}`, url);
  const isPrivate = mayBePrivate(dependencies.hosts, url);
  const answer = await dependencies.get(url, { limit: kind.limit, etag: copy?.etag, mayBePrivate: isPrivate });
  const readAt = seconds(dependencies.clock);
  const times = { readAt, freshUntil: readAt + Math.floor(freshFor(answer.headers, kind.bounds)) };
  if (answer.status === 304 && copy) return { ...copy, ...times };
  return { document: read(url, parseAnswer(url, answer)), etag: answer.headers.etag, ...times };
}

/** RFC 9110 §15.5.11: 410 is permanent; 404 and an invalid document may be a mistake; anything else is an outage. */
function lastsUntil({ readAt, freshUntil }: Copy, { reason, outcome }: ClientDocumentError, staleFor: number): number {
  if (reason === 'gone') return 0;
  return outcome === 'unusable' ? Math.min(freshUntil + MISSING_GRACE, readAt + staleFor) : readAt + staleFor;
}

async function withinLimit(limit: RateLimit, key: string, { hostname }: URL): Promise<void> {
  const wait = await limit.take(key);
  if (wait > 0) throw new ClientDocumentError('limited', { host: hostname, retryAfter: wait });
}
