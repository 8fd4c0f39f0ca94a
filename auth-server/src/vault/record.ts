/**
 * Owns the record of the session of a person at an upstream, and what becomes of it with each event, as pure functions. What a question
 * has found out is written only where the record still has the tokens of that question, so that it never replaces a newer sign-in.
 */
import type { UpstreamReason, UpstreamSession } from '../federation/connector.ts';
import type { Connection } from './connections/connection.ts';

/** Times are in seconds since the epoch. */
export interface VaultRecord {
  /** Absent: there is nothing to ask the upstream with. */
  readonly session?: UpstreamSession | undefined;
  /** The tokens with which tools act for the person at this upstream. Absent: it is not connected. */
  readonly connection?: Connection | undefined;
  /** When the upstream was last asked, whatever came of it. Absent: nobody has signed in there, and the record is about a connection. */
  readonly askedAt?: number | undefined;
  /** When the first of the questions without an answer was asked. Absent: the last one was answered. */
  readonly failingSince?: number | undefined;
  /** Present if one of these questions was answered that the session has ended: it can't be used again. */
  readonly hasEnded?: true | undefined;
  /** Until when one request alone may ask. Absent: nobody is asking. */
  readonly lease?: number | undefined;
}

/** Seconds that one question may take, with all of its requests. */
export const DEADLINE = 45;

/** Seconds after which another request may ask, because the process that asks has stopped. It is longer than any question. */
const LEASE = 60;

/** Seconds before its end in which an access token is not used any more. */
const MARGIN = 5;

/** Whether the upstream can be asked: with a refresh token, or with an access token that has not expired. */
export const isAskable = (session: UpstreamSession | undefined, now: number): session is UpstreamSession =>
  session !== undefined &&
  (session.refreshToken !== undefined ||
    (session.accessToken !== undefined && (session.expiresAt === undefined || session.expiresAt > now + MARGIN)));

/** Seconds for which the upstream can be asked: none without anything to ask with, and any number with a refresh token. */
export function askableFor(session: UpstreamSession | undefined, now: number): number {
  if (!isAskable(session, now)) return 0;
  const { refreshToken, expiresAt } = session;
  return refreshToken === undefined && expiresAt !== undefined ? expiresAt - now : Number.POSITIVE_INFINITY;
}

/**
 * Google sends a refresh token with the first consent only, so an earlier one stays, with its id token, until it has ended. Its lease
 * stays with it: somebody may be using the token at this moment.
 */
export function signedIn(earlier: VaultRecord | undefined, session: UpstreamSession, now: number): VaultRecord {
  const isKept =
    session.refreshToken === undefined && earlier?.session?.refreshToken !== undefined && !earlier.hasEnded;
  const kept = isKept ? { refreshToken: earlier.session.refreshToken, idToken: earlier.session.idToken } : {};
  const usable = { ...session, ...kept };
  // Without a session too: an earlier record would ask for a sign-in again and again.
  return {
    session: isAskable(usable, now) ? usable : undefined,
    connection: earlier?.connection,
    askedAt: now,
    lease: isKept ? earlier.lease : undefined,
  };
}

export const asking = (record: VaultRecord, now: number): VaultRecord => ({ ...record, lease: now + LEASE });

/** What one question knows: the tokens that it uses, or got in exchange for them. */
type Held = UpstreamSession;

const hasTokensOf = ({ session }: VaultRecord, held: Held): boolean =>
  session !== undefined &&
  session.refreshToken === held.refreshToken &&
  (held.refreshToken !== undefined || session.accessToken === held.accessToken);

/** The next record, or `undefined` if the question is no longer about this record. */
type Next = (record: VaultRecord | undefined) => VaultRecord | undefined;

const where =
  (held: Held, next: (record: VaultRecord) => VaultRecord): Next =>
  (record) =>
    record && hasTokensOf(record, held) ? next(record) : undefined;

/** RFC 6749 §6: the upstream has exchanged the refresh token, also where a sign-in meanwhile has kept the old one. */
export const renewed = (held: Held, session: UpstreamSession): Next =>
  where(held, (record) => ({ ...record, session }));

/** @param session absent if the upstream refuses the person, so that it is not asked about them again, and no tool acts for them */
export const answered = (held: Held, session: UpstreamSession | undefined, now: number): Next =>
  where(held, ({ connection }) => ({ session, connection: session && connection, askedAt: now }));

export const unanswered = (held: Held, reason: UpstreamReason | undefined, now: number): Next =>
  where(held, (record) => ({
    ...record,
    hasEnded: reason === 'ended' ? true : record.hasEnded,
    askedAt: now,
    failingSince: record.failingSince ?? now,
    lease: undefined,
  }));

/** The person needs a new sign-in at the upstream, should they come in again, and tools need a new connection. */
export const forgotten =
  (now: number): Next =>
  (record) => {
    if (record?.session) return { askedAt: record.askedAt, failingSince: record.failingSince ?? now, hasEnded: true };
    return record?.connection && { ...record, connection: undefined };
  };

/** The question is over, and its answer does not count. */
export const released = (held: Held): Next => where(held, (record) => ({ ...record, lease: undefined }));
