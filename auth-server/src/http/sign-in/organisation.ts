/**
 * Owns the choice of one organisation after the sign-in: a person of several says for which of them the app acts. The outcome of the
 * sign-in waits for it under the interaction, and the form is good for that person only.
 */
import type { Context } from 'koa';
import { formToken } from '../../consent/approval.ts';
import { interactionPath, type PendingInteraction } from '../../consent/interaction.ts';
import type { Accounts } from '../../federation/account.ts';
import type { Organisations } from '../../federation/claims/organisations.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import type { Pages } from '../../views/pages.ts';

export interface OrganisationDependencies {
  readonly issuer: string;
  readonly accounts: Accounts;
  readonly organisations: Organisations;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly formKey: string;
}

/** The organisations from which the person chooses; none if the tokens of this resource name no organisation. */
export async function organisationsFor(
  pending: PendingInteraction,
  accountId: string,
  { accounts, organisations }: Pick<OrganisationDependencies, 'accounts' | 'organisations'>,
): Promise<readonly string[]> {
  return pending.claims?.includes('org') ? organisations.of(await accounts.find(accountId)) : [];
}

export const organisationToken = (formKey: string, pending: PendingInteraction, accountId: string): string =>
  formToken(formKey, { ...pending, uid: `${pending.uid} organisation`, accountId });

interface Choice {
  readonly pending: PendingInteraction;
  readonly accountId: string;
  readonly names: readonly string[];
}

export function askForOrganisation(
  ctx: Context,
  { pending, accountId, names }: Choice,
  { issuer, languageOf, pages, formKey }: OrganisationDependencies,
): void {
  ctx.set({ ...pages.headers });
  ctx.type = 'html';
  ctx.body = pages.organisation({
    language: languageOf(ctx),
    organisations: names,
    resource: pending.resource.name,
    path: `${interactionPath(issuer, pending.uid)}/organisation`,
    token: organisationToken(formKey, pending, accountId),
  });
}
