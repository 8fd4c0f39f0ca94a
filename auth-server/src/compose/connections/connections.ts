/** Owns how the connections of people are created from the settings, and how they end with a person. */
import type { Config } from '../../config.ts';
import type { Accounts } from '../../federation/account.ts';
import { logged } from '../../federation/failure.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { RecheckObserver } from '../../vault/answer.ts';
import { type Connections, createConnections } from '../../vault/connections/connections.ts';
import {
  createEndConnections,
  createTakeAccounts,
  type EndConnections,
  type TakeAccounts,
} from '../../vault/connections/person-end.ts';
import {
  createRevocation,
  inBackground,
  type RevocationDependencies,
  type RevokeTokens,
} from '../../vault/connections/revocation.ts';
import type { Holder } from '../../vault/vault.ts';
import { composeVault } from '../accounts.ts';
import type { Dependencies } from '../dependencies.ts';

interface ConnectionsDependencies extends Pick<Dependencies, 'clock' | 'log' | 'store'> {
  readonly accounts: Accounts;
  readonly tools: readonly OpenTools[];
  readonly onOutcome?: RecheckObserver | undefined;
}

/** @returns nothing if tools get no tokens of any upstream */
export function composeConnections(
  config: Config,
  { store, clock, log, accounts, tools, onOutcome }: ConnectionsDependencies,
): Connections | undefined {
  if (tools.length === 0) return undefined;
  return createConnections({
    vault: composeVault(config, { store, clock }),
    clock,
    accounts,
    tools,
    onOutcome,
    deadline,
    onFailure: failureTo(log),
  });
}

const deadline = (seconds: number): AbortSignal => AbortSignal.timeout(seconds * 1000);

type OnFailure = RevocationDependencies['onFailure'];

const failureTo =
  (log: Dependencies['log']): OnFailure =>
  ({ id, secrets = [] }, { accountId: subject }, error, tokens) => {
    log.warn(
      { connector: id, subject, ...logged(error, [...secrets, ...tokens]) },
      'upstream request for tools failed',
    );
  };

/** Ends tokens at the upstreams, within a deadline. */
export const composeRevocation = (tools: readonly OpenTools[], onFailure: OnFailure): RevokeTokens =>
  createRevocation({ tools, deadline, onFailure });

/** The same for the server, whose answers do not wait for it. `stopped` says whose tokens the upstream may still accept. */
export function composeRevocationInBackground(tools: readonly OpenTools[], log: Dependencies['log']) {
  const left =
    (reason: string) =>
    ({ connector, accountId: subject }: Holder): void =>
      log.warn({ connector, subject, reason }, 'tokens of tools deleted without a revocation');
  const { revoke, finished, underWay } = inBackground(
    composeRevocation(tools, failureTo(log)),
    left('too many at once'),
  );
  const stopped = () => underWay().forEach(left('the server stopped before the upstream answered'));
  return { revoke, finished, stopped };
}

/** @returns nothing if there can be no connections, so that no refusal costs a read */
export const composeEndConnections = (
  config: Config,
  dependencies: Pick<Dependencies, 'clock' | 'store'>,
  revoke: RevokeTokens,
): EndConnections | undefined =>
  config.tools.length === 0
    ? undefined
    : createEndConnections(composeVault(config, dependencies), idsOf(config), revoke);

/** @returns nothing if there can be no connections, so that no ending costs a read */
export const composeTakeAccounts = (
  config: Config,
  dependencies: Pick<Dependencies, 'clock' | 'store'>,
): TakeAccounts | undefined =>
  config.tools.length === 0 ? undefined : createTakeAccounts(composeVault(config, dependencies), idsOf(config));

const idsOf = ({ tools }: Config): readonly string[] => tools.map(({ id }) => id);
