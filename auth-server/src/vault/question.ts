/**
 * Owns a question about a person from the lease to the stored answer. An answer is stored in the account only if that is still the one
 * that was read before the question: it never replaces what a newer sign-in has saved.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Account, Accounts } from '../federation/account.ts';
import type { Identity, UpstreamSession } from '../federation/connector.ts';
import type { OpenConnector } from '../federation/registry.ts';
import { type CallDependencies, call } from './answer.ts';
import { answered, asking, released, renewed, unanswered, type VaultRecord } from './record.ts';
import type { Times } from './standing.ts';
import type { Vault } from './vault.ts';
import { known, type Verdict, withoutAnswer } from './verdict.ts';

export interface QuestionDependencies extends CallDependencies {
  readonly vault: Vault;
  readonly accounts: Accounts;
  readonly clock: Clock;
}

export interface Question {
  readonly upstream: OpenConnector;
  /** As it is stored. */
  readonly account: Account;
  /** As it is stored; its session can be asked with. */
  readonly record: VaultRecord & { readonly session: UpstreamSession };
  readonly times: Times;
  /** When the grant was approved for which somebody asks, in seconds since the epoch. */
  readonly approvedAt?: number | undefined;
}

/** @returns `undefined` if another request asks */
export async function ask(question: Question, dependencies: QuestionDependencies): Promise<Verdict | undefined> {
  const { upstream, account, times } = question;
  const { vault, accounts, clock } = dependencies;
  let record = await vault.replace(account, question.record, asking(question.record, seconds(clock)));
  if (!record) return undefined;
  if (question.approvedAt !== undefined) await vault.extend(account, question.approvedAt);
  let held = question.record.session;
  let lost: UpstreamSession | undefined;
  const store = async (session: UpstreamSession): Promise<void> => {
    record = await vault.change(account, renewed(held, session), record);
    held = session;
    lost = undefined;
  };
  const onRenewed = async (session: UpstreamSession): Promise<void> => {
    lost = session;
    // Not thrown here: the connector would take a failure of our store for one of the upstream.
    await store(session).catch(() => undefined);
  };
  const answer = await call({ upstream, account, session: held, renewed: onRenewed }, dependencies);
  // Once more: without the new refresh token the session has ended.
  if (lost) await store(lost);
  const now = seconds(clock);
  const newest = async () => known((await accounts.find(account.accountId)) ?? account, now, times) ?? {};

  if (answer.outcome !== 'ok' && answer.outcome !== 'denied') {
    const after = await vault.change(account, unanswered(held, answer.outcome, now), record);
    return after ? withoutAnswer(after, now, times) : newest();
  }
  const after =
    answer.outcome === 'ok' ? confirmed(account, answer.signIn.identity, now) : { ...account, denied: answer.said };
  // The account is written before the lease ends, so a request that finds no lease also finds the result.
  const isNewest = await accounts.replace(account, after);
  const session = answer.outcome === 'ok' ? (answer.signIn.session ?? held) : undefined;
  const isOutdatedRefusal = !session && !isNewest;
  await vault.change(account, isOutdatedRefusal ? released(held) : answered(held, session, now), record);
  return isNewest ? (known(after, now, times) ?? { account: after }) : newest();
}

/** A name that the upstream sends at the first sign-in only stays. */
const confirmed = (account: Account, identity: Identity, checkedAt: number): Account => ({
  ...account,
  identity: { ...identity, name: identity.name ?? account.identity.name },
  checkedAt,
});
