/**
 * Owns the gate that asks the upstream again about a person, at a refresh whose last answer is too old. Of all requests on all
 * replicas exactly one asks, because refresh tokens rotate (RFC 9700 §4.14.2); the others wait briefly for its result.
 */
import { seconds } from '@mcp-oauth/shared/clock';
import type { Gate } from '../access/gate.ts';
import type { Account } from '../federation/account.ts';
import type { UpstreamSession } from '../federation/connector.ts';
import type { OpenConnector } from '../federation/registry.ts';
import { ask, type QuestionDependencies } from './question.ts';
import { askableFor, forgotten, isAskable, signedIn } from './record.ts';
import { denied, ENDED, NO_ANSWER, UNREADABLE } from './refusals.ts';
import { isFresh, isOver, needsSignIn, standingOf, type Times } from './standing.ts';
import { type Holder, UnreadableRecord } from './vault.ts';
import { known, type Verdict, withoutAnswer, withoutRecord } from './verdict.ts';
import { afterLease } from './waiting.ts';

export interface Recheck {
  readonly gate: Gate;
  /** Call after each sign-in: keeps what the next re-check needs. @returns the account to save */
  remember(account: Account, session: UpstreamSession | undefined): Promise<Account>;
  /** Call when somebody else has ended the access of the person: deletes what the upstream can be asked with. */
  forget(holder: Holder): Promise<void>;
}

export interface RecheckDependencies extends QuestionDependencies {
  readonly connectors: readonly OpenConnector[];
  readonly times: Times;
  /** Called at a sign-in that leaves nothing to ask the upstream with after so many seconds. */
  readonly onLimited?: ((connector: string, seconds: number) => void) | undefined;
}

export function createRecheck(dependencies: RecheckDependencies): Recheck {
  const { vault, accounts, connectors, clock } = dependencies;
  const isOff = dependencies.times.every === 0;
  const upstreamOf = ({ connector }: Account) => connectors.find(({ id }) => id === connector);
  const timesOf = ({ connector }: OpenConnector): Times => {
    const { every, grace } = dependencies.times;
    return { every: Math.max(every, connector.recheckEvery ?? 0), grace };
  };
  const newestOf = async (account: Account) => (await accounts.find(account.accountId)) ?? account;

  /** A record that a connection alone has made says nothing about a sign-in. */
  const find = async (holder: Holder) => {
    const record = await vault.find(holder);
    return record?.askedAt === undefined ? undefined : record;
  };

  async function check(upstream: OpenConnector, account: Account, approvedAt: number | undefined): Promise<Verdict> {
    const times = timesOf(upstream);
    const record = await find(account);
    const now = seconds(clock);
    if (!record) return withoutRecord(account) ?? {};
    const wait = async (): Promise<Verdict> => {
      const last = await afterLease(() => find(account), record);
      return known(await newestOf(account), seconds(clock), times) ?? withoutAnswer(last, seconds(clock), times);
    };
    const standing = standingOf(record, now, times);
    if (standing === 'running') return wait();
    const { session } = record;
    // The upstream may have refused the token before it expired.
    if (!isAskable(session, now)) return withoutAnswer(record, now, times);
    if (standing === 'failing') return {};
    if (standing === 'over') return NO_ANSWER;
    // Another request may have got the answer between our two reads.
    const newest = await newestOf(account);
    const question = { upstream, account: newest, record: { ...record, session }, times, approvedAt };
    return known(newest, now, times) ?? (await ask(question, dependencies)) ?? wait();
  }

  /** The upstream is not asked: a new sign-in does that. */
  async function checkBrowser(upstream: OpenConnector, account: Account): Promise<Verdict | undefined> {
    const record = await find(account);
    const now = seconds(clock);
    if (!record) return withoutRecord(account);
    if (!needsSignIn(record, now, timesOf(upstream))) return undefined;
    return isOver(record, now, timesOf(upstream)) ? NO_ANSWER : ENDED;
  }

  return {
    gate: async (account, occasion, approvedAt) => {
      if (occasion === 'sign-in') return undefined;
      if (account.denied !== undefined) return { refusal: denied(account.denied) };
      const upstream = upstreamOf(account);
      if (isOff || !upstream?.connector.recheck) return undefined;
      if (isFresh(account, seconds(clock), timesOf(upstream))) return undefined;
      try {
        return occasion === 'session'
          ? await checkBrowser(upstream, account)
          : await check(upstream, account, approvedAt);
      } catch (error) {
        if (error instanceof UnreadableRecord) return UNREADABLE(error.message);
        throw error;
      }
    },
    remember: async (account, session = {}) => {
      if (isOff) return account;
      const now = seconds(clock);
      const canAsk = upstreamOf(account)?.connector.recheck !== undefined;
      const record = canAsk ? await vault.begin(account, (earlier) => signedIn(earlier, session, now)) : undefined;
      const left = askableFor(record?.session, now);
      if (Number.isFinite(left)) dependencies.onLimited?.(account.connector, left);
      return record?.session ? { ...account, checkedAt: now } : account;
    },
    forget: async (holder) => {
      await vault.change(holder, forgotten(seconds(clock)));
    },
  };
}
