/**
 * Owns the narrowing of a request to the scopes that its person may have: the page offers no others, and no others are granted. It
 * also decides when nothing is left (RFC 6749 §4.1.2.1): the engine would take an empty scope for the default scope.
 */
import type { Access } from '../../access/access.ts';
import type { PendingInteraction } from '../../consent/interaction.ts';
import { narrowed } from '../../consent/scope-choice.ts';
import type { Account } from '../../federation/account.ts';
import type { Resources } from '../../resources/resource.ts';

export interface PermittedDependencies {
  readonly access: Pick<Access, 'permitted'>;
  readonly resources: Resources;
}

export const NOTHING_PERMITTED = {
  error: 'access_denied',
  error_description: 'This account may not have any of the requested scopes. Ask the operator of this server.',
};

/** @returns `undefined` if the request has scopes of the resource, and the account may have none of them */
export function permittedFor(
  account: Account | undefined,
  pending: PendingInteraction,
  { access, resources }: PermittedDependencies,
): PendingInteraction | undefined {
  if (!account) return pending;
  const { baseScopes } = resources.find(pending.resource.identifier) ?? resources.default;
  const names = pending.scopes.map(({ name }) => name);
  const permitted = new Set(access.permitted(account, names, baseScopes));
  if (names.length > 0 && permitted.size === 0) return undefined;
  return narrowed(pending, { permitted });
}
