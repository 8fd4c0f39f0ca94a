/**
 * Owns when a copy that the operator provides stands in for a document: while its host can't be asked and nothing good was ever
 * heard of it. Whatever the host itself says, good or bad, counts more (draft-ietf-oauth-client-id-metadata-document §5.2).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { JsonObject, RecordStore } from '../storage/record-store.ts';
import { COPY_LIFETIME, dateOf, endOf, type FindCopy, type OperatorCopy } from './copies.ts';
import type { ClientMetadataError, Reason } from './failure.ts';

/** What the host of a client with a copy has said about it: kept for longer than any copy lasts. */
const RECORD = 'ClientDocumentWord';
const REMEMBERED = 2 * COPY_LIFETIME;

/** Seconds between two log lines about the use of one copy: a host that refuses this server does so all day. */
const AGAIN = 3_600;

interface Word {
  /** A good answer: no copy is used any more. */
  readonly good?: boolean;
  /** In seconds since the epoch: withdrawn, or unusable; a copy of an earlier moment is not used any more. */
  readonly refusedAt?: number;
}

interface StandIn {
  readonly document: JsonObject;
  /** In seconds since the epoch. */
  readonly fetchedAt: number;
}

export interface StandIns {
  has(clientId: string): Promise<boolean>;
  /** The host has given a good answer. */
  onAnswer(clientId: string): Promise<void>;
  /**
   * @param failure of the host, which has never given a good answer that is still known
   * @param judge throws where a document is none
   */
  after(url: URL, failure: ClientMetadataError, judge: Judge): Promise<StandIn | undefined>;
  /** The host has a document that was good, and does not stand by it any more. */
  onRefusal(clientId: string): Promise<void>;
}

type Judge = (url: URL, document: unknown) => JsonObject;

export interface StandInParts {
  readonly find: FindCopy;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createStandIns({ find, store, clock, log }: StandInParts): StandIns {
  const wordOf = async (clientId: string): Promise<Word> => (await store.get(RECORD, clientId))?.value ?? {};
  const keep = (clientId: string, word: Word) => store.put(RECORD, clientId, { ...word }, { ttl: REMEMBERED });
  const onRefusal = async (clientId: string): Promise<void> => {
    if (!(await find(clientId))) return;
    await keep(clientId, { ...(await wordOf(clientId)), refusedAt: seconds(clock) });
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
      // A limit is our own, and passes.
      if (!copy || failure.outcome === 'limited') return undefined;
      if (failure.outcome === 'unusable') await onRefusal(url.href);
      const flaw = mayStandIn(failure)
        ? flawOf(copy, await wordOf(url.href), seconds(clock))
        : 'the host has answered for itself';
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
        log.warn({ ...said, flaw: String(error) }, "operator's copy of a client document can't be used");
        return undefined;
      }
    },
  };
}

const UNREACHED: ReadonlySet<Reason> = new Set(['dns', 'private_address', 'connection', 'tls', 'timeout', 'proxy']);

/** Nobody was reached, or a host that lets this server not in, or has trouble of its own. */
const mayStandIn = ({ reason, status }: ClientMetadataError): boolean =>
  UNREACHED.has(reason) || (status !== undefined && (status === 403 || status === 429 || status >= 500));

function flawOf(copy: OperatorCopy, { good, refusedAt }: Word, now: number): string | undefined {
  if (good) return 'the host has given a good answer before';
  if (refusedAt !== undefined && refusedAt >= copy.fetchedAt) return 'the host has withdrawn it since then';
  return endOf(copy) <= now ? `it ended on ${dateOf(endOf(copy))}` : undefined;
}
