/** Owns how an approval is shown in a table: with the names of its person and its client. */
import { timeOf } from '@mcp-oauth/shared/cli/list';
import type { Accounts } from '../../federation/account.ts';
import { namesOf } from '../../federation/person-names.ts';
import type { GrantEntry } from '../../revocation/grant-directory.ts';

/** Names of a person. All are `null` if the record of the person has expired. */
export interface PersonNames {
  readonly name: string | null;
  /** Says so if it is not verified. */
  readonly email: string | null;
  readonly connector: string | null;
}

export async function namesOfPerson(accountId: string, accounts: Pick<Accounts, 'find'>): Promise<PersonNames> {
  const account = await accounts.find(accountId);
  const { name, address } = namesOf(account?.identity);
  return { name: name ?? null, email: address ?? null, connector: account?.connector ?? null };
}

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
