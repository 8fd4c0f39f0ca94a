/**
 * Owns the step of a sign-in in which a person connects the accounts that the approved scopes need. The person has approved them on the
 * page before; an upstream that gives no account ends its scope, and the sign-in goes on.
 */
import type { Context } from 'koa';
import type { Access } from '../../access/access.ts';
import { firstMissing } from '../../connecting/missing.ts';
import type { PendingInteraction } from '../../consent/interaction.ts';
import { without } from '../../consent/scope-choice.ts';
import type { Accounts } from '../../federation/account.ts';
import type { LoginOutcome, Logins } from '../../federation/login.ts';
import { type DepartDependencies, depart, prepare } from './depart.ts';

export type ConnectingDependencies = DepartDependencies & {
  readonly logins: Pick<Logins, 'saveOutcome'>;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly access: Pick<Access, 'permitted'>;
};

/** The outcome of a sign-in of somebody who may come in. */
type Approval = Extract<LoginOutcome, { readonly accountId: string }>;

export const needsAccounts = ({ scopes }: PendingInteraction): boolean => scopes.some(({ upstream }) => upstream);

/** @returns what is approved now; `undefined` if the browser was sent to an upstream, from which it comes back to the finish */
export async function connectAccounts<Outcome extends Approval>(
  ctx: Context,
  pending: PendingInteraction,
  outcome: Outcome,
  dependencies: ConnectingDependencies,
): Promise<Outcome | undefined> {
  const { tools, connections, logins, accounts, access } = dependencies;
  const { accountId, leftOut = [] } = outcome;
  const asked = without(pending, leftOut).scopes.flatMap(({ upstream }) => upstream ?? []);
  const account = asked.length > 0 ? await accounts.find(accountId) : undefined;
  // The approval drops what the person may not have.
  const permitted = account
    ? access.permitted(
        account,
        asked.map(({ name }) => name),
        new Set(),
      )
    : [];
  const needed = asked.filter(({ name }) => permitted.includes(name));
  const missing = await firstMissing(accountId, needed, connections);
  if (!missing) return outcome;
  const upstream = tools.find(({ id }) => id === missing.connector);
  const { uid: interaction, client } = pending;
  const connection = { accountId, clientId: client.id, scopes: missing.scopes, interaction };
  const departure = upstream && (await prepare(ctx, connection, upstream, dependencies));
  if (!departure || 'reason' in departure) {
    return connectAccounts(ctx, pending, { ...outcome, leftOut: [...leftOut, missing.name] }, dependencies);
  }
  await logins.saveOutcome(interaction, outcome);
  await depart(ctx, departure, dependencies);
  return undefined;
}
