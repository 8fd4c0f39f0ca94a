/** Owns how long an account is kept, and who was signed out: never shorter than a grant or a session that names the account. */
import type { Config } from '../config.ts';
import { type Accounts, createAccounts } from '../federation/account.ts';
import { createSignedOut, type SignedOut } from '../logout/signed-out.ts';
import type { Dependencies } from './dependencies.ts';

export const composeAccounts = (
  { grantLifetime, sessionLifetime }: Config,
  { store }: Pick<Dependencies, 'store'>,
): Accounts => createAccounts(store, Math.max(grantLifetime, sessionLifetime));

export const composeSignedOut = (
  { grantLifetime, sessionLifetime }: Config,
  { store, clock }: Pick<Dependencies, 'store' | 'clock'>,
): SignedOut => createSignedOut({ store, clock, grantLifetime, sessionLifetime });
