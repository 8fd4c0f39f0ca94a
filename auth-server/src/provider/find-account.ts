/** Owns what the engine may know of a person: the subject. Asked at every sign-in, code exchange and refresh. */
import type { FindAccount } from 'oidc-provider';
import type { Accounts } from '../federation/account.ts';
import type { Resources } from '../resources/resource.ts';
import { checkGranted, type GrantSource } from './granted-resource.ts';

/** An unknown account is `undefined`: its refresh tokens fail with `invalid_grant` from that moment on. */
export function createFindAccount(accounts: Accounts, resources: Resources): FindAccount {
  return async (ctx, accountId, token) => {
    // The one hook between the reading of a code or refresh token and its use.
    if (token && 'resource' in token) await checkGranted(ctx, token as GrantSource, resources);
    if (!(await accounts.find(accountId))) return undefined;
    return { accountId, claims: async () => ({ sub: accountId }) };
  };
}
