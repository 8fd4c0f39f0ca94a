/**
 * Owns when a person is asked: the engine's own rules (OpenID Connect Core §3.1.2.1), and the cases that they do not cover. The
 * engine stores a consent for client, account and scopes; here it is only valid for exactly what the page showed.
 */
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { LacksAccount } from '../../connecting/missing.ts';
import { isRemembered } from '../../consent/approval.ts';
import type { PendingInteraction } from '../../consent/interaction.ts';
import type { Account } from '../../federation/account.ts';
import type { Organisations } from '../../federation/claims/organisations.ts';
import { approvalsOf, organisationOf } from '../overrides/approvals.ts';
import { indicators } from '../resource-indicators.ts';
import { type PendingDependencies, pendingOf } from './pending.ts';
import { NOTHING_PERMITTED, type PermittedDependencies, permittedFor } from './permitted.ts';

interface Dependencies extends PendingDependencies, PermittedDependencies {
  readonly organisations: Organisations;
  readonly lacksAccount: LacksAccount;
}

export const SELECT_ACCOUNT = 'select_account';

export function createInteractionPolicy(dependencies: Dependencies): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('login')?.checks.add(
    new interactionPolicy.Check(
      'account_gone',
      'the account of the session is no longer known',
      'login_required',
      // A session may outlive its stored account, and the engine needs an account to grant anything.
      (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
    ),
  );
  policy.get('login')?.checks.add(
    new interactionPolicy.Check(
      'account_refused',
      'the account of the session may not come in any more',
      'login_required',
      // Another account may come in, and the sign-in of the same one ends with a page that says why.
      (ctx) => ctx.oidc.account?.refusal !== undefined,
    ),
  );
  // OpenID Connect Core §3.1.2.1: our page names the account and offers another one, so it is enough to show the page.
  const selectAccount = new interactionPolicy.Prompt({ name: SELECT_ACCOUNT, requestable: true });
  policy.add(selectAccount, policy.length - 1);
  const consent = policy.get('consent');
  // They would ask at every request for a scope that the person may not have. The check below covers everything else of them.
  for (const name of ['op_scopes_missing', 'rs_scopes_missing']) consent?.checks.remove(name);
  consent?.checks.add(
    new interactionPolicy.Check(
      'not_approved_as_asked',
      'the user has not approved exactly this request',
      'consent_required',
      async (ctx) => !(await isApproved(ctx, dependencies)),
    ),
  );
  return policy;
}

/** @throws AccessDenied if the person may have nothing of the request: there is nothing to approve, and no code (RFC 6749 §4.1.2.1) */
async function isApproved({ oidc }: KoaContextWithOIDC, dependencies: Dependencies): Promise<boolean> {
  const { account, client, params = {}, grant, session } = oidc;
  if (!client) return false;
  const asked = pendingOf(
    { uid: '', client, params, accountId: session?.accountId, userCode: oidc.deviceCode?.userCode },
    dependencies,
  );
  const person = account?.account as Account | undefined;
  const pending = permittedFor(person, asked, dependencies);
  if (!pending) throw new errors.AccessDenied(NOTHING_PERMITTED.error_description);
  return (
    isRemembered(approvalsOf(grant), pending) &&
    actsForOne(grant, pending, dependencies.organisations.of(person)) &&
    knowsSpelling(grant, params.resource, pending) &&
    !(await lacksAccounts(person, pending, dependencies))
  );
}

/** What was approved needs an account at an upstream, and the person has disconnected it since: the page leads there again. */
async function lacksAccounts(
  person: Account | undefined,
  { scopes }: PendingInteraction,
  { lacksAccount }: Pick<Dependencies, 'lacksAccount'>,
): Promise<boolean> {
  const needed = scopes.flatMap(({ upstream }) => upstream ?? []);
  return person !== undefined && needed.length > 0 && lacksAccount(person.accountId, needed);
}

/** A token that names an organisation needs one that was chosen, and to which the person still belongs. */
const actsForOne = (
  grant: object | undefined,
  { claims }: PendingInteraction,
  organisations: readonly string[],
): boolean =>
  !claims?.includes('org') || organisations.length === 0 || organisations.includes(organisationOf(grant) ?? '');

/** The engine grants by the exact identifier: the approval of another spelling of the resource would end in `access_denied`. */
const knowsSpelling = (grant: KoaContextWithOIDC['oidc']['grant'], resource: unknown, { scopes }: PendingInteraction) =>
  scopes.length === 0 || indicators(resource).every((identifier) => grant?.getResourceScope(identifier));
