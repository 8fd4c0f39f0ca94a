/** Owns whom a command means: a subject, or an address, by which at most one person is found. */
import { StartError } from '@mcp-oauth/shared/errors';
import { comparableEmail } from '../../access/rules/address.ts';
import { composeAccounts } from '../../compose/accounts.ts';
import type { Identity } from '../../federation/connector.ts';
import type { OpenedStore } from '../store.ts';

type Opened = Pick<OpenedStore, 'config' | 'store' | 'directory'>;

/** @throws StartError if nobody is known, or more than one person */
export async function findPerson(who: string, { config, store, directory }: Opened): Promise<string> {
  const accounts = composeAccounts(config, { store });
  const isKnown = async () => (await accounts.find(who)) ?? (await directory.byPerson(who)).items[0];
  if (await isKnown()) return who;
  const address = comparableEmail(who);
  if (address === undefined) throw new StartError(`there is no person ${JSON.stringify(who)}`);
  const found: string[] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const { items, next } = await directory.people(cursor);
    const people = await Promise.all(items.map(({ id }) => accounts.find(id)));
    found.push(...people.flatMap((one) => (one && hasAddress(one.identity, address) ? [one.accountId] : [])));
    cursor = next;
  }
  const [accountId, ...others] = found;
  if (accountId === undefined) throw new StartError(`nobody with an approval has the address ${JSON.stringify(who)}`);
  if (others.length === 0) return accountId;
  throw new StartError(`several people have the address ${JSON.stringify(who)}; name one of ${found.join(', ')}`);
}

/** Only a verified address names somebody: anybody may claim another one, and would be ended in the place of its owner. */
const hasAddress = ({ email, verifiedEmails = [] }: Identity, address: string): boolean =>
  [email, ...verifiedEmails].some((one) => one !== undefined && comparableEmail(one) === address);
