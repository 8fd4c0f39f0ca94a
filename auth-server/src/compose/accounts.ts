/** Owns how long an account is kept: never shorter than a grant or a session that names it. */
import type { Config } from '../config.ts';
import { type Accounts, createAccounts } from '../federation/account.ts';
import type { Dependencies } from './dependencies.ts';

export const composeAccounts = (
  { grantLifetime, sessionLifetime }: Config,
  { store }: Pick<Dependencies, 'store'>,
): Accounts => createAccounts(store, Math.max(grantLifetime, sessionLifetime));
