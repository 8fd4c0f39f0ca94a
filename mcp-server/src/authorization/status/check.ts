/**
 * Owns the check of a principal against the status list that its token refers to, on every request, also when the token itself is known.
 * It is synchronous once the list was read.
 */
import type { VerifyToken } from '../access-token.ts';
import type { Principal } from '../principal.ts';
import type { TokenRules } from '../token/rules.ts';
import { TokenError } from '../token-error.ts';
import type { TokenStatus } from './reference.ts';
import type { StatusList } from './status-list.ts';
import { MOST_LISTS, type StatusLists } from './status-lists.ts';

export interface StatusCheckOptions {
  readonly lists: Pick<StatusLists, 'need'>;
  /** What happens to a token whose list could not be read for too long. A token that lives long is always refused then. */
  readonly unavailable: 'refuse' | 'accept';
  readonly variableOf: (issuer: string) => TokenRules['variable'] | undefined;
}

/** The same check as `verify`, which refuses a token whose reference is marked. */
export const withStatus = (verify: VerifyToken, options: StatusCheckOptions): VerifyToken => {
  const check = createCheck(options);
  return (token, caller) => {
    const found = verify(token, caller);
    if (found instanceof Promise) return found.then(check);
    return found.status === undefined ? found : check(found);
  };
};

/** Seconds between two reads because of an index that the list does not have. */
const SOON = 1;

/**
 * Whether the copy may be at fault, and not the token: this process was paused while the list could be read, or the list has grown since,
 * as other issuers' may.
 */
function isLate(list: StatusList, { idx, isLongLived }: TokenStatus): boolean {
  const standing = list.standingOf(idx, isLongLived);
  if (standing === 'unavailable') return list.failure === undefined;
  return standing === 'beyond' && list.age >= SOON;
}

function createCheck({ lists, unavailable, variableOf }: StatusCheckOptions) {
  /** @returns nothing if the token is accepted */
  const refusalOf = (principal: Principal, status: TokenStatus, list: StatusList): TokenError | undefined => {
    const { issuer, subject, clientId } = principal;
    const refuse = (reason: 'revoked' | 'wrong_status' | 'status_unavailable', expected: string, found: unknown) =>
      new TokenError(
        reason,
        { claim: 'status', expected, found, subject, client: clientId },
        undefined,
        variableOf(issuer),
      );
    switch (list.standingOf(status.idx, status.isLongLived)) {
      case 'good':
        return undefined;
      case 'marked':
        return refuse('revoked', 'an index that is not marked', `${status.idx} of ${status.uri}`);
      case 'beyond':
        return refuse('wrong_status', `an index of ${status.uri}`, status.idx);
      case 'unavailable':
        if (unavailable === 'accept' && !status.isLongLived) return undefined;
        return refuse('status_unavailable', `${status.uri}, not older than STATUS_GRACE`, `${Math.round(list.age)} s`);
    }
  };
  return (principal: Principal): Principal | Promise<Principal> => {
    const { status, issuer, expiresAt } = principal;
    if (status === undefined) return principal;
    const list = lists.need(issuer, status, expiresAt);
    if (!list) {
      const finding = { claim: 'status', expected: `at most ${MOST_LISTS} lists at a time`, found: status.uri };
      return Promise.reject(new TokenError('wrong_status', finding, undefined, variableOf(issuer)));
    }
    const judge = (): Principal | Promise<Principal> => {
      const refusal = refusalOf(principal, status, list);
      return refusal ? Promise.reject(refusal) : principal;
    };
    return list.wasTried && !isLate(list, status) ? judge() : list.refresh().then(judge);
  };
}
