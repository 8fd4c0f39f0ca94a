/** Owns what is shown of the status list that a token refers to: whether the token is marked, or why that is not known. */
import type { Principal } from '../../../authorization/principal.ts';
import type { StatusLists } from '../../../authorization/status/status-lists.ts';
import type { Check } from '../check.ts';

/**
 * @param principal whom the token names; absent: a fault hides it
 * @param lists in which the server has looked the token up; absent: it has not
 */
export function listedStatus(
  principal: Principal | undefined,
  lists: Pick<StatusLists, 'need'> | undefined,
): readonly Check[] {
  if (!principal?.status) return [];
  const { issuer, status, expiresAt } = principal;
  const about = { check: 'status', found: `${status.idx} of ${status.uri}` } as const;
  if (!lists) return [{ ...about, result: 'unchecked', note: 'the list was not read' }];
  const failure = lists.need(issuer, status, expiresAt)?.failure;
  if (failure === undefined) return [{ ...about, result: 'accepted' }];
  const note = `the list could not be read, so the server accepts the token for STATUS_GRACE: ${failure}`;
  return [{ ...about, result: 'unchecked', note }];
}
