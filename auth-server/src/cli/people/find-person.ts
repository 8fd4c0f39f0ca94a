/**
 * Owns whom a command means: a subject, or an address, by which at most one person is found. An address that the identity provider has
 * not verified names nobody: a stranger could have signed in with it.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import { comparableEmail } from '../../access/rules/address.ts';
import { composeAccounts } from '../../compose/accounts.ts';
import type { Identity } from '../../federation/connector.ts';
import { createOwners } from '../../personal-tokens/owners.ts';
import { ownerOf } from '../../personal-tokens/token.ts';
import { createTokenRecords } from '../../personal-tokens/token-records.ts';
import type { OpenedStore } from '../store.ts';

type Opened = Pick<OpenedStore, 'config' | 'store' | 'directory' | 'clock'>;

/** @throws StartError if nobody is known, or more than one person */
export async function findPerson(who: string, { config, store, directory, clock }: Opened): Promise<string> {
  const accounts = composeAccounts(config, { store });
  const hasTokens = async () =>
    ownerOf(who).kind === 'person' && (await createTokenRecords(store, clock).of(who)).length > 0;
  const isKnown = async () => (await accounts.find(who)) ?? (await directory.byPerson(who)).items[0];
  if ((await isKnown()) || (await hasTokens())) return who;
  const address = comparableEmail(who);
  if (address === undefined) throw new StartError(`there is no person ${JSON.stringify(who)}`);
  const ids = new Set<string>();
  const look = async (subjects: readonly string[]) => {
    const people = await Promise.all(subjects.map((id) => accounts.find(id)));
    for (const one of people) if (one && hasAddress(one.identity, address)) ids.add(one.accountId);
  };
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const { items, next } = await directory.people(cursor);
    await look(items.map(({ id }) => id));
    cursor = next;
  }
  for await (const subject of createOwners(store, clock).all()) await look([subject]);
  const found = [...ids];
  const [accountId, ...others] = found;
  if (accountId === undefined) {
    throw new StartError(
      `nobody with an approval has the address ${JSON.stringify(who)}, and nobody with a personal token. An address that is not verified names nobody: use the subject`,
    );
  }
  if (others.length === 0) return accountId;
  throw new StartError(`several people have the address ${JSON.stringify(who)}; name one of ${found.join(', ')}`);
}

const hasAddress = ({ email, verifiedEmails = [] }: Identity, address: string): boolean =>
  [email, ...verifiedEmails].some((one) => one !== undefined && comparableEmail(one) === address);
