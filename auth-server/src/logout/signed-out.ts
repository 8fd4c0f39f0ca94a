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
import { CLOCK_DIFFERENCE, hasEnded } from './clocks.ts';

/** The members of a browser session that a logout is compared with. */
interface SignedInSession {
  readonly accountId: string;
  /** When the person signed in, in seconds since the epoch. */
  readonly since: number;
  /** Identifies the session at the upstream: `upstreamSessionOf`. Absent: the upstream named none. */
  readonly upstreamSession?: string | undefined;
}

interface Recorded {
  /** Whether approvals ended: the connector is set up so, and the person is known. */
  readonly approvals: boolean;
}

export interface SignedOut {
  /** Stores who signed in with a session at the upstream: a token that names the session alone then ends the approvals of this person. */
  remember(upstreamSession: string, accountId: string): Promise<void>;
  /**
   * Ends the browser sessions that the token names, and approvals if the connector is set up so.
   * @param onApprovalsEnded if it fails, the upstream may send the token again
   * @returns `undefined` if the token was used before
   */
  record(
    token: LogoutToken,
    endsApprovals: boolean,
    onApprovalsEnded: (accountId: string) => Promise<void>,
  ): Promise<Recorded | undefined>;
  includes(session: SignedInSession): Promise<boolean>;
  /** Ends the sessions of a person in all browsers. What the person approved stays. */
  endSessions(accountId: string): Promise<void>;
  /** Ends the sessions of everybody that began before a moment, in seconds since the epoch. */
  endSessionsBefore(moment: number): Promise<void>;
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

const [ENDED, APPROVALS, PERSON, USED] = ['SignedOut', 'ApprovalsEnded', 'UpstreamSessionPerson', 'LogoutToken'];
/** Seconds that the id of a token is remembered: longer than a token is accepted (connectors/oidc/logout/logout-token.ts). */
const REMEMBERED = 600;
/** Seconds. A sign-in that began before the logout ends so much later at most, and clocks may differ by a minute. */
const MARGIN = LOGIN_LIFETIME + 60;

const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** One session of a person at an upstream, as a key that a session here stores. */
export const upstreamSessionOf = (issuer: string, sid: string): string => digest(issuer, sid);

const everySession = (accountId: string): string => `person:${accountId}`;
const EVERYBODY = 'everybody';
const oneSession = (upstreamSession: string): string => `session:${upstreamSession}`;
/** The sessions of a person for which the upstream named no `sid`: a logout of any session ends them. */
const unnamedSessions = (accountId: string): string => `unnamed:${accountId}`;

interface Meant {
  /** Absent: the token names a session with which nobody is known to have signed in. */
  readonly accountId: string | undefined;
  readonly upstreamSession: string | undefined;
  readonly endsApprovals: boolean;
}

/** The sessions that a token means: without a `sid` all sessions of the person (Back-Channel Logout 1.0 §2.4). */
function endedBy({ accountId, upstreamSession, endsApprovals }: Meant): readonly string[] {
  const one = upstreamSession === undefined ? [] : [oneSession(upstreamSession)];
  if (accountId === undefined) return one;
  // A session that goes on would reuse an approval that has ended.
  return one.length === 0 || endsApprovals ? [everySession(accountId), ...one] : [unnamedSessions(accountId), ...one];
}

export function createSignedOut({ store, clock, sessionLifetime, grantLifetime }: SignedOutOptions): SignedOut {
  const timeOf = async (kind: string, id: string): Promise<number | undefined> => {
    const at = (await store.get(kind, id))?.value.at;
    return typeof at === 'number' ? at : undefined;
  };
  const personWith = async (upstreamSession: string): Promise<string | undefined> => {
    const accountId = (await store.get(PERSON, upstreamSession))?.value.accountId;
    return typeof accountId === 'string' ? accountId : undefined;
  };
  async function end(
    token: LogoutToken,
    endsApprovals: boolean,
    onApprovalsEnded: (accountId: string) => Promise<void>,
  ): Promise<Recorded> {
    const at = { at: seconds(clock) };
    const { issuer, subject, sid } = token;
    const upstreamSession = sid === undefined ? undefined : upstreamSessionOf(issuer, sid);
    const known = subject === undefined ? undefined : localSubject({ issuer, subject });
    const accountId = known ?? (endsApprovals && upstreamSession ? await personWith(upstreamSession) : undefined);
    const approvals = endsApprovals && accountId !== undefined;
    await Promise.all([
      ...endedBy({ accountId, upstreamSession, endsApprovals }).map((id) =>
        store.put(ENDED, id, at, { ttl: sessionLifetime + MARGIN }),
      ),
      ...(approvals ? [store.put(APPROVALS, accountId, at, { ttl: grantLifetime + MARGIN })] : []),
    ]);
    if (approvals) await onApprovalsEnded(accountId);
    return { approvals };
  }
  return {
    remember: (upstreamSession, accountId) =>
      store.put(PERSON, upstreamSession, { accountId }, { ttl: grantLifetime + MARGIN }),
    record: async (token, endsApprovals, onApprovalsEnded) => {
      const id = digest(token.issuer, token.jti);
      if (await store.get(USED, id)) return undefined;
      // It counts as used last: what fails halfway can be sent again, and to end the same sessions twice changes nothing.
      const recorded = await end(token, endsApprovals, onApprovalsEnded);
      return (await store.putIfAbsent(USED, id, {}, { ttl: REMEMBERED })) ? recorded : undefined;
    },
    includes: async ({ accountId, since, upstreamSession }) => {
      const own = upstreamSession === undefined ? unnamedSessions(accountId) : oneSession(upstreamSession);
      const times = await Promise.all([everySession(accountId), own, EVERYBODY].map((id) => timeOf(ENDED, id)));
      return times.some((at) => hasEnded(since, at));
    },
    endSessions: (accountId) =>
      store.put(ENDED, everySession(accountId), { at: seconds(clock) }, { ttl: sessionLifetime + MARGIN }),
    endSessionsBefore: async (moment) => {
      const at = Math.max(moment - CLOCK_DIFFERENCE - 1, (await timeOf(ENDED, EVERYBODY)) ?? 0);
      await store.put(ENDED, EVERYBODY, { at }, { ttl: sessionLifetime + MARGIN });
    },
    approvalsEndedAt: (accountId) => timeOf(APPROVALS, accountId),
  };
}
