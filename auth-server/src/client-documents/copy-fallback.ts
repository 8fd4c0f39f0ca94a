/**
 * Owns when an operator's copy replaces a document: while its host is unreachable or refuses this server, and has never given a
 * valid answer. Another answer of the host itself, valid or not, takes precedence
 * (draft-ietf-oauth-client-id-metadata-document §5.2).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { RecordStore } from '../storage/record-store.ts';
import { COPY_LIFETIME, dateOf, endOf, type FindCopy, type OperatorCopy } from './copies.ts';
import type { ClientDocumentError, Reason } from './document-error.ts';

/** Record of the answers of the host of a client with a copy. It is kept longer than any copy. */
const RECORD = 'ClientDocumentWord';
const REMEMBERED = 2 * COPY_LIFETIME;

/** Seconds between two log lines about the use of one copy, because a host may refuse this server all day. */
const AGAIN = 3_600;

interface HostHistory {
  /** The host gave a valid answer: no copy is used any more. */
  readonly good?: boolean;
  /** When the document was withdrawn or invalid, in seconds since the epoch: an older copy is not used any more. */
  readonly refusedAt?: number;
}

interface FallbackDocument {
  readonly document: JsonObject;
  /** In seconds since the epoch. */
  readonly fetchedAt: number;
}

export interface CopyFallback {
  has(clientId: string): Promise<boolean>;
  /** Call when the host has given a valid answer. */
  onAnswer(clientId: string): Promise<void>;
  /**
   * @param failure of the host, of which no valid answer is known
   * @param judge throws if a document is invalid
   */
  after(url: URL, failure: ClientDocumentError, judge: Judge): Promise<FallbackDocument | undefined>;
  /** Call when the host no longer serves a valid document. */
  onRefusal(clientId: string): Promise<void>;
}

type Judge = (url: URL, document: unknown) => JsonObject;

export interface CopyFallbackDependencies {
  readonly find: FindCopy;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createCopyFallback({ find, store, clock, log }: CopyFallbackDependencies): CopyFallback {
  const historyOf = async (clientId: string): Promise<HostHistory> => (await store.get(RECORD, clientId))?.value ?? {};
  const keep = (clientId: string, history: HostHistory) =>
    store.put(RECORD, clientId, { ...history }, { ttl: REMEMBERED });
  const onRefusal = async (clientId: string): Promise<void> => {
    if (!(await find(clientId))) return;
    await keep(clientId, { ...(await historyOf(clientId)), refusedAt: seconds(clock) });
  };

  const toldAt = new Map<string, number>();
  const isNews = (clientId: string): boolean => {
    const now = seconds(clock);
    if (now - (toldAt.get(clientId) ?? Number.NEGATIVE_INFINITY) < AGAIN) return false;
    toldAt.set(clientId, now);
    return true;
  };

  return {
    has: async (clientId) => (await find(clientId)) !== undefined,
    onAnswer: async (clientId) => {
      if (await find(clientId)) await keep(clientId, { good: true });
    },
    onRefusal,
    after: async (url, failure, judge) => {
      const copy = await find(url.href);
      // A limit is temporary and not caused by the host.
      if (!copy || failure.outcome === 'limited') return undefined;
      if (failure.outcome === 'unusable') await onRefusal(url.href);
      const flaw = mayFallBack(failure)
        ? flawOf(copy, await historyOf(url.href), seconds(clock))
        : 'the host has answered';
      const said = { url: url.href, file: copy.file, fetchedAt: dateOf(copy.fetchedAt), reason: failure.reason };
      if (flaw) {
        log.info({ ...said, flaw }, "operator's copy of a client document not used");
        return undefined;
      }
      try {
        const document = judge(url, copy.document);
        const details = { detail: failure.message, ends: dateOf(endOf(copy)) };
        log[isNews(url.href) ? 'warn' : 'debug']({ ...said, ...details }, "operator's copy of a client document used");
        return { document, fetchedAt: copy.fetchedAt };
      } catch (error) {
        log.warn({ ...said, flaw: String(error) }, "operator's copy of a client document is invalid");
        return undefined;
      }
    },
  };
}

const UNREACHED: ReadonlySet<Reason> = new Set(['dns', 'private_address', 'connection', 'tls', 'timeout', 'proxy']);

/** The host is unreachable, refuses this server, or has an internal error. */
const mayFallBack = ({ reason, status }: ClientDocumentError): boolean =>
  UNREACHED.has(reason) || (status !== undefined && (status === 403 || status === 429 || status >= 500));

function flawOf(copy: OperatorCopy, { good, refusedAt }: HostHistory, now: number): string | undefined {
  if (good) return 'the host has given a valid answer before';
  if (refusedAt !== undefined && refusedAt >= copy.fetchedAt) return 'the host has withdrawn it since then';
  return endOf(copy) <= now ? `it expired on ${dateOf(endOf(copy))}` : undefined;
}
