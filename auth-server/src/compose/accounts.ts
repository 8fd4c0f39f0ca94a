/**
 * Owns how long an account is kept and who was signed out, never shorter than what names the account (a grant, a session, a personal
 * token), and how its person is asked about again.
 */
import type { Access } from '../access/access.ts';
import type { Config } from '../config.ts';
import { type Accounts, createAccounts } from '../federation/account.ts';
import { logged } from '../federation/failure.ts';
import type { OpenConnector } from '../federation/registry.ts';
import { IDLE as UNUSED_ON_PAGES } from '../http/page-session/session-records.ts';
import { createSignedOut, type SignedOut } from '../logout/signed-out.ts';
import type { RecheckObserver } from '../vault/answer.ts';
import { createRecheck, type Recheck } from '../vault/recheck.ts';
import { createVault, type Vault } from '../vault/vault.ts';
import type { Dependencies } from './dependencies.ts';

type Lifetimes = Pick<Config, 'grantLifetime' | 'sessionLifetime' | 'personalTokens' | 'personalTokenLifetime'>;

const lifetimeOf = ({ grantLifetime, sessionLifetime, personalTokens, personalTokenLifetime }: Lifetimes): number =>
  Math.max(grantLifetime, sessionLifetime, personalTokens === 'on' ? personalTokenLifetime : 0);

export const composeAccounts = (config: Lifetimes, { store }: Pick<Dependencies, 'store'>): Accounts =>
  createAccounts(store, lifetimeOf(config));

export const composeSignedOut = (
  { grantLifetime, sessionLifetime }: Lifetimes,
  { store, clock }: Pick<Dependencies, 'store' | 'clock'>,
): SignedOut =>
  createSignedOut({ store, clock, grantLifetime, sessionLifetime: Math.max(sessionLifetime, UNUSED_ON_PAGES) });

export const composeVault = (config: Lifetimes, { store, clock }: Pick<Dependencies, 'store' | 'clock'>): Vault =>
  createVault(store, { clock, lifetime: lifetimeOf(config) });

interface RecheckDependencies extends Pick<Dependencies, 'clock' | 'log' | 'store'> {
  readonly accounts: Accounts;
  readonly access: Pick<Access, 'stored'>;
  readonly connectors: readonly OpenConnector[];
  readonly onOutcome?: RecheckObserver | undefined;
}

export function composeRecheck(
  config: Config,
  { store, log, accounts, access, ...dependencies }: RecheckDependencies,
): Recheck {
  return createRecheck({
    ...dependencies,
    accounts: { ...accounts, replace: (before, after) => accounts.replace(before, access.stored(after)) },
    deadline: (seconds) => AbortSignal.timeout(seconds * 1000),
    vault: composeVault(config, { store, clock: dependencies.clock }),
    times: { every: config.upstreamRecheck, grace: config.upstreamGrace },
    onFailure: ({ id, secrets = [] }, { accountId }, error, tokens) => {
      const line = { connector: id, subject: accountId, ...logged(error, [...secrets, ...tokens]) };
      log.warn(line, 'upstream re-check failed');
    },
    onLimited: tellOnce(log),
  });
}

/** Says once for each connector that its people are not asked about until their grants end: each sign-in there is the same. */
function tellOnce(log: Dependencies['log']): (connector: string, seconds: number) => void {
  const told = new Set<string>();
  return (connector, seconds) => {
    if (told.has(connector)) return;
    told.add(connector);
    const line = (left: string) => ({ connector, reason: `the sign-in left ${left}. ${CONSEQUENCE}` });
    if (seconds === 0) log.warn(line('nothing to ask with'), 'the identity provider is not asked again about people');
    else
      log.info(
        { ...line('an access token for userinfo only'), seconds },
        'the identity provider is asked again about people for some time only',
      );
  };
}

const CONSEQUENCE = 'Afterwards only GRANT_LIFETIME limits the access of a person who has left there';
