/** Owns how an approval is shown in a table: with the names of its person and its client. */
import { timeOf } from '@mcp-oauth/shared/cli/list';
import type { Accounts } from '../../federation/account.ts';
import type { Identity } from '../../federation/connector.ts';
import type { GrantEntry } from '../../revocation/grant-directory.ts';

/** Names of a person. All are `null` if the record of the person has expired. */
export interface PersonNames {
  readonly name: string | null;
  readonly email: string | null;
  readonly connector: string | null;
}

export async function namesOfPerson(accountId: string, accounts: Pick<Accounts, 'find'>): Promise<PersonNames> {
  const account = await accounts.find(accountId);
  if (!account) return { name: null, email: null, connector: null };
  const { identity, connector } = account;
  return { name: identity.name ?? identity.username ?? null, email: addressOf(identity) ?? null, connector };
}

/** An address that the provider does not vouch for says so, as at /admin: it may be that of somebody else. */
const addressOf = ({ email, verifiedEmails, unverifiedEmail }: Identity): string | undefined =>
  email ?? verifiedEmails?.[0] ?? (unverifiedEmail === undefined ? undefined : `${unverifiedEmail} (unverified)`);

/** An approval without its person, whom the command has named. */
export const rowOfGrant = ({ id, clientId, resources, scopes, organisation, via, ...times }: GrantEntry) => ({
  id,
  client: clientId,
  // Further identifiers are spellings of the same resource.
  resource: resources[0] ?? null,
  scopes: scopes.join(' '),
  organisation: organisation ?? null,
  via,
  since: timeOf(times.createdAt),
  lastUsed: timeOf(times.lastUsedAt),
});

export async function rowOfGrantAndPerson(entry: GrantEntry, accounts: Pick<Accounts, 'find'>) {
  const { id, ...rest } = rowOfGrant(entry);
  const { name, email } = await namesOfPerson(entry.accountId, accounts);
  return { id, subject: entry.accountId, name, email, ...rest };
}
