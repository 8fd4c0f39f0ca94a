/**
 * Owns the gate that asks the upstream again about a person, at a refresh whose last answer is too old. Of all requests on all
 * replicas exactly one asks, because refresh tokens rotate (RFC 9700 §4.14.2); the others wait briefly for its result.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { AccessRefusal, Gate } from '../access/gate.ts';
import type { Account, Accounts } from '../federation/account.ts';
import type { Identity, SignIn, UpstreamError, UpstreamReason, UpstreamSession } from '../federation/connector.ts';
import { sanitized, toUpstreamError } from '../federation/failure.ts';
import type { OpenConnector } from '../federation/registry.ts';
import { acceptIdentity } from '../federation/subject.ts';
import { denied, ENDED, NO_ANSWER, refuseOther, UNREADABLE } from './refusals.ts';
import {
  answered,
  asking,
  isAskable,
  isFresh,
  isOver,
  needsSignIn,
  standingOf,
  type Times,
  unanswered,
} from './standing.ts';
import { UnreadableRecord, type Vault, type VaultRecord } from './vault.ts';

/** Called with the outcome of a re-check: `ok`, or the reason of the failure. */
export type RecheckObserver = (connector: string, outcome: 'ok' | UpstreamReason) => void;

export interface Recheck {
  readonly gate: Gate;
  /** Call after each sign-in: keeps what the next re-check needs. @returns the account to save */
  remember(account: Account, session: UpstreamSession | undefined): Promise<Account>;
}

export interface RecheckDependencies {
  readonly vault: Vault;
  readonly accounts: Accounts;
  readonly connectors: readonly OpenConnector[];
  readonly clock: Clock;
  readonly times: Times;
  /** A re-check without an answer. @param secrets values that no log may show */
  readonly onFailure: (upstream: OpenConnector, account: Account, error: UpstreamError, secrets: Secrets) => void;
  readonly onOutcome?: RecheckObserver | undefined;
}

type Secrets = readonly string[];
interface Question {
  readonly session: UpstreamSession;
  readonly renewed: (session: UpstreamSession) => Promise<void>;
}

interface Answer {
  readonly signIn?: SignIn | undefined;
  readonly error?: UpstreamError;
}

type Found = { readonly account?: Account; readonly refusal?: AccessRefusal };

/** How often, and after how many milliseconds, a request looks for the result of the one that asks. */
const LOOKS = 40;
const PAUSE = 50;

export function createRecheck(dependencies: RecheckDependencies): Recheck {
  const { vault, accounts, connectors, clock, onFailure, onOutcome } = dependencies;
  const isOff = dependencies.times.every === 0;
  const upstreamOf = ({ connector }: Account) => connectors.find(({ id }) => id === connector);
  const timesOf = ({ connector }: OpenConnector): Times => {
    const { every, grace } = dependencies.times;
    return { every: Math.max(every, connector.recheckEvery ?? 0), grace };
  };

  /** What a stored account already says. */
  const known = (account: Account, upstream: OpenConnector): Found | undefined => {
    if (account.denied !== undefined) return { refusal: denied(account.denied) };
    return isFresh(account, seconds(clock), timesOf(upstream)) ? { account } : undefined;
  };
  const withoutAnswer = (record: VaultRecord): Found =>
    isOver(record, seconds(clock), dependencies.times) ? NO_ANSWER : {};

  async function ask(upstream: OpenConnector, account: Account, before: VaultRecord): Promise<Found> {
    let record = await vault.replace(account, before, asking(before, seconds(clock)));
    if (!record) return wait(upstream, account, before);
    let lost: unknown;
    const renewed = async (session: UpstreamSession) => {
      try {
        record = record && (await vault.replace(account, record, { ...record, session }));
      } catch (error) {
        // Not thrown here: the connector would take a failure of our store for one of the upstream.
        lost = error;
      }
    };
    const { signIn, error } = await question(upstream, account, { session: before.session ?? {}, renewed });
    if (lost) throw lost;
    onOutcome?.(upstream.id, error?.reason ?? 'ok');
    const now = seconds(clock);
    if (!signIn && error?.reason !== 'denied') {
      const after = record && unanswered(record, now, error?.reason);
      if (record && after) await vault.replace(account, record, after);
      return withoutAnswer(after ?? before);
    }
    const session = signIn && (signIn.session ?? record?.session);
    record = record && (await vault.replace(account, record, { ...record, session }));
    // The person has signed in meanwhile, which is newer than this answer.
    if (!record) return known((await accounts.find(account.accountId)) ?? account, upstream) ?? {};
    const after = signIn
      ? confirmed(account, signIn.identity, now)
      : { ...account, denied: reasonOf(error, before.session) };
    // The lease ends after the result is stored, so that a request which finds no lease also finds the result.
    await accounts.save(after);
    await vault.replace(account, record, answered(session, now));
    return known(after, upstream) ?? { account: after };
  }

  async function question(upstream: OpenConnector, account: Account, { session, renewed }: Question): Promise<Answer> {
    try {
      const signIn = await upstream.connector.recheck?.(session, renewed);
      if (signIn) refuseOther(account, acceptIdentity(signIn.identity));
      return { signIn };
    } catch (thrown) {
      const error = toUpstreamError(thrown);
      onFailure(upstream, account, error, secretsOf(session));
      return { error };
    }
  }

  /** For the result of another request, but no longer than `LOOKS` times: the last answer is good until the grace is over. */
  async function wait(upstream: OpenConnector, account: Account, seen: VaultRecord): Promise<Found> {
    let record = seen;
    for (let look = 0; look < LOOKS; look += 1) {
      await sleep(PAUSE);
      const found = known((await accounts.find(account.accountId)) ?? account, upstream);
      if (found) return found;
      record = (await vault.find(account)) ?? record;
      if (record.lease === undefined && record.failingSince !== undefined) break;
    }
    return withoutAnswer(record);
  }

  async function check(upstream: OpenConnector, account: Account): Promise<Found> {
    const record = await vault.find(account);
    const now = seconds(clock);
    const standing = record && standingOf(record, now, timesOf(upstream));
    if (!record) return {};
    if (standing === 'running') return wait(upstream, account, record);
    // The upstream may have refused the token before it expired.
    if (!isAskable(record.session, now)) return withoutAnswer(record);
    if (standing === 'failing') return {};
    if (standing === 'over') return NO_ANSWER;
    // Another request may have got the answer between our two reads.
    const newest = (await accounts.find(account.accountId)) ?? account;
    return known(newest, upstream) ?? ask(upstream, newest, record);
  }

  /** The upstream is not asked: a new sign-in does that. */
  async function checkBrowser(account: Account): Promise<Found | undefined> {
    const record = await vault.find(account);
    const now = seconds(clock);
    if (!record || !needsSignIn(record, now, dependencies.times)) return undefined;
    return isOver(record, now, dependencies.times) ? NO_ANSWER : ENDED;
  }

  return {
    gate: async (account, occasion) => {
      if (occasion === 'sign-in') return undefined;
      if (account.denied !== undefined) return { refusal: denied(account.denied) };
      const upstream = upstreamOf(account);
      if (isOff || !upstream?.connector.recheck) return undefined;
      if (isFresh(account, seconds(clock), timesOf(upstream))) return undefined;
      try {
        return occasion === 'session' ? await checkBrowser(account) : await check(upstream, account);
      } catch (error) {
        if (error instanceof UnreadableRecord) return UNREADABLE(error.message);
        throw error;
      }
    },
    remember: async (account, session = {}) => {
      const now = seconds(clock);
      if (isOff || !upstreamOf(account)?.connector.recheck) return account;
      const usable = await kept(account, session);
      const canAsk = isAskable(usable, now);
      // Without a session too: an earlier record would ask for a sign-in again and again.
      await vault.put(account, answered(canAsk ? usable : undefined, now));
      return canAsk ? { ...account, checkedAt: now } : account;
    },
  };

  /** Google sends a refresh token with the first consent only, so an earlier one stays, with its id token, until it has ended. */
  async function kept(account: Account, session: UpstreamSession): Promise<UpstreamSession> {
    if (session.refreshToken !== undefined) return session;
    const earlier = await vault.find(account).catch((error) => {
      if (error instanceof UnreadableRecord) return undefined;
      throw error;
    });
    if (earlier?.session?.refreshToken === undefined || earlier.hasEnded) return session;
    return { ...session, refreshToken: earlier.session.refreshToken, idToken: earlier.session.idToken };
  }
}

/** A name that the upstream sends at the first sign-in only stays. */
const confirmed = (account: Account, identity: Identity, checkedAt: number): Account => ({
  ...account,
  identity: { ...identity, name: identity.name ?? account.identity.name },
  checkedAt,
});

/** For the log: what the upstream said, without secrets. */
const reasonOf = (error: UpstreamError | undefined, session: UpstreamSession = {}): string =>
  sanitized([error?.message, error?.facts.upstreamDescription].filter(Boolean).join(': '), secretsOf(session));

const secretsOf = ({ refreshToken, accessToken }: UpstreamSession): Secrets =>
  [refreshToken, accessToken].filter((secret) => secret !== undefined);
