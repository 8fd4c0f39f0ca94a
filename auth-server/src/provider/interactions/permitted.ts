/** Owns the narrowing of a request to the scopes that its person may have: the page offers no others, and no others are granted. */
import type { Access } from '../../access/access.ts';
import type { PendingInteraction } from '../../consent/interaction.ts';
import { narrowed } from '../../consent/scope-choice.ts';
import type { Account } from '../../federation/account.ts';
import type { Resources } from '../../resources/resource.ts';

export interface PermittedDependencies {
  readonly access: Pick<Access, 'permitted'>;
  readonly resources: Resources;
}

export function permittedFor(
  account: Account | undefined,
  pending: PendingInteraction,
  { access, resources }: PermittedDependencies,
): PendingInteraction {
  if (!account) return pending;
  const { baseScopes } = resources.find(pending.resource.identifier) ?? resources.default;
  const names = pending.scopes.map(({ name }) => name);
  const permitted = new Set(access.permitted(account, names, baseScopes));
  return narrowed(pending, { permitted });
}
