/** Owns what the engine may know about a person: the subject. The engine calls it at every sign-in, code exchange and refresh. */
import type { FindAccount } from 'oidc-provider';
import type { Accounts } from '../federation/account.ts';
import type { Resources } from '../resources/resource.ts';
import { checkGranted, type GrantSource } from './granted-resource.ts';

/** An unknown account is `undefined`: its refresh tokens then fail with `invalid_grant`. */
export function createFindAccount(accounts: Accounts, resources: Resources): FindAccount {
  return async (ctx, accountId, token) => {
    // The one hook between the reading of a code or refresh token and its use.
    if (token && 'resource' in token) await checkGranted(ctx, token as GrantSource, resources);
    if (!(await accounts.find(accountId))) return undefined;
    return { accountId, claims: async () => ({ sub: accountId }) };
  };
}
