/**
 * Owns one call of a connector about a person: its deadline, and what it comes to. Every failure is an outcome, and an answer about
 * somebody else is a refusal.
 */
import type { Account } from '../federation/account.ts';
import { type SignIn, UpstreamError, type UpstreamReason, type UpstreamSession } from '../federation/connector.ts';
import { sanitized, toUpstreamError } from '../federation/failure.ts';
import type { OpenConnector } from '../federation/registry.ts';
import { acceptIdentity } from '../federation/subject.ts';
import { DEADLINE } from './record.ts';
import { refuseOther } from './refusals.ts';

/** Called with the outcome of a re-check: `ok`, or the reason of the failure. */
export type RecheckObserver = (connector: string, outcome: 'ok' | UpstreamReason) => void;

export type Answer =
  | { readonly outcome: 'ok'; readonly signIn: SignIn }
  /** `said` is what the upstream said, for the log and without secrets. */
  | { readonly outcome: UpstreamReason; readonly said: string };

export interface Inquiry {
  readonly upstream: OpenConnector;
  readonly account: Account;
  readonly session: UpstreamSession;
  readonly renewed: (session: UpstreamSession) => Promise<void>;
}

export interface CallDependencies {
  /** @returns a signal that is aborted after so many seconds */
  readonly deadline: (seconds: number) => AbortSignal;
  /** A re-check without an answer. @param secrets values that no log may show */
  readonly onFailure: (
    upstream: OpenConnector,
    account: Account,
    error: UpstreamError,
    secrets: readonly string[],
  ) => void;
  readonly onOutcome?: RecheckObserver | undefined;
}

export async function call(inquiry: Inquiry, { deadline, onFailure, onOutcome }: CallDependencies): Promise<Answer> {
  const { upstream, account, session } = inquiry;
  const secrets = secretsOf(session);
  const renewed = async (next: UpstreamSession): Promise<void> => {
    secrets.push(...secretsOf(next));
    await inquiry.renewed(next);
  };
  const signal = deadline(DEADLINE);
  try {
    const signIn = await before(signal, async () => upstream.connector.recheck?.(session, renewed, signal));
    refuseOther(account, acceptIdentity(signIn?.identity as SignIn['identity']));
    onOutcome?.(upstream.id, 'ok');
    return { outcome: 'ok', signIn: signIn as SignIn };
  } catch (thrown) {
    const error = toUpstreamError(thrown);
    onFailure(upstream, account, error, secrets);
    onOutcome?.(upstream.id, error.reason);
    const said = [error.message, error.facts.upstreamDescription].filter(Boolean).join(': ');
    return { outcome: error.reason, said: sanitized(said, [...secrets, ...(upstream.secrets ?? [])]) };
  }
}

/** Ends with the signal although the connector may not: the lease of the question must not end before the question. */
async function before<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const end = () => reject(new UpstreamError('unavailable', `the upstream gave no answer within ${DEADLINE} s`));
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([work(), late]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

const secretsOf = ({ refreshToken, accessToken }: UpstreamSession): string[] =>
  [refreshToken, accessToken].filter((secret) => secret !== undefined);
