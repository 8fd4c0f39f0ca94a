/**
 * Owns who was signed out by an upstream, and when. There is no index from a person to browser sessions: a logout is a record, and a
 * session that began before it is no longer used. So a logout costs the same for one session and for a thousand.
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { LogoutToken } from '../federation/connector.ts';
import { LOGIN_LIFETIME } from '../federation/login.ts';
import { localSubject } from '../federation/subject.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { hasEnded } from './clocks.ts';

/** The members of a browser session that a logout is compared with. */
interface SignedInSession {
  readonly accountId: string;
  /** When the person signed in, in seconds since the epoch. */
  readonly since: number;
  /** Identifies the session at the upstream: `upstreamSessionOf`. Absent: the upstream named none. */
  readonly upstreamSession?: string | undefined;
}

export interface SignedOut {
  /**
   * Ends the browser sessions that the token names, and approvals if the connector is set up so.
   * @returns false if the token was used before
   */
  record(token: LogoutToken, endsApprovals: boolean): Promise<boolean>;
  includes(session: SignedInSession): Promise<boolean>;
  /** When the approvals of a person ended, in seconds since the epoch: earlier ones are no longer valid. */
  approvalsEndedAt(accountId: string): Promise<number | undefined>;
}

export interface SignedOutOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** Seconds. The engine drops an unused session after this time, and one that is used is compared. */
  readonly sessionLifetime: number;
  readonly grantLifetime: number;
}

const [ENDED, APPROVALS, USED] = ['SignedOut', 'ApprovalsEnded', 'LogoutToken'];
/** Seconds that the id of a token is remembered: longer than a token is accepted (connectors/oidc/logout/logout-token.ts). */
const REMEMBERED = 600;
/** Seconds. A sign-in that began before the logout ends so much later at most, and clocks may differ by a minute. */
const MARGIN = LOGIN_LIFETIME + 60;

const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** One session of a person at an upstream, as a key that a session here stores. */
export const upstreamSessionOf = (issuer: string, sid: string): string => digest(issuer, sid);

const everySession = (accountId: string): string => `person:${accountId}`;
const oneSession = (upstreamSession: string): string => `session:${upstreamSession}`;
/** The sessions of a person for which the upstream named no `sid`: a logout of any session ends them. */
const unnamedSessions = (accountId: string): string => `unnamed:${accountId}`;

/** The records that a token makes: without a `sid` it means all sessions of the person (Back-Channel Logout 1.0 §2.4). */
function endedBy({ issuer, subject, sid }: LogoutToken, endsApprovals: boolean): readonly string[] {
  const accountId = subject === undefined ? undefined : localSubject({ issuer, subject });
  const one = sid === undefined ? [] : [oneSession(upstreamSessionOf(issuer, sid))];
  if (accountId === undefined) return one;
  // A session that goes on would reuse an approval that has ended.
  return sid === undefined || endsApprovals ? [everySession(accountId), ...one] : [unnamedSessions(accountId), ...one];
}

export function createSignedOut({ store, clock, sessionLifetime, grantLifetime }: SignedOutOptions): SignedOut {
  const timeOf = async (kind: string, id: string): Promise<number | undefined> => {
    const at = (await store.get(kind, id))?.value.at;
    return typeof at === 'number' ? at : undefined;
  };
  async function end(token: LogoutToken, endsApprovals: boolean): Promise<void> {
    const at = { at: seconds(clock) };
    const { issuer, subject } = token;
    await Promise.all([
      ...endedBy(token, endsApprovals).map((id) => store.put(ENDED, id, at, { ttl: sessionLifetime + MARGIN })),
      ...(endsApprovals && subject !== undefined
        ? [store.put(APPROVALS, localSubject({ issuer, subject }), at, { ttl: grantLifetime + MARGIN })]
        : []),
    ]);
  }
  return {
    record: async (token, endsApprovals) => {
      const id = digest(token.issuer, token.jti);
      if (!(await store.putIfAbsent(USED, id, {}, { ttl: REMEMBERED }))) return false;
      try {
        await end(token, endsApprovals);
      } catch (error) {
        // Otherwise the upstream could not send the token again.
        await store.delete(USED, id).catch(() => {});
        throw error;
      }
      return true;
    },
    includes: async ({ accountId, since, upstreamSession }) => {
      const own = upstreamSession === undefined ? unnamedSessions(accountId) : oneSession(upstreamSession);
      const times = await Promise.all([everySession(accountId), own].map((id) => timeOf(ENDED, id)));
      return times.some((at) => hasEnded(since, at));
    },
    approvalsEndedAt: (accountId) => timeOf(APPROVALS, accountId),
  };
}
