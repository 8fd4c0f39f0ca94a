/**
 * Owns how the rows of the operator's pages are put together: the directory says which grants there are, the accounts who a person is,
 * and the clients what they are called.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Accounts } from '../federation/account.ts';
import { namesOf } from '../federation/person-names.ts';
import type { RingName } from '../keys/key-store.ts';
import { type Keyring, stateOf } from '../keys/keyring.ts';
import type { GrantDirectory, GrantEntry, Page, Party } from '../revocation/grant-directory.ts';
import type {
  Administration,
  ClientRow,
  GrantRow,
  KeyRow,
  Listed,
  PersonRow,
  StatusListState,
  Versions,
  Whose,
} from './overview.ts';
import type { RecentRefusals } from './refusals.ts';

export interface AdministrationDependencies {
  readonly clock: Clock;
  readonly directory: Pick<GrantDirectory, 'get' | 'list' | 'byPerson' | 'byClient' | 'people' | 'clients'>;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly describeClient: (clientId: string) => Promise<Pick<ClientRow, 'name' | 'origin'>>;
  readonly keyrings: () => Promise<Readonly<Partial<Record<RingName, Keyring | undefined>>>>;
  readonly refusals: Pick<RecentRefusals, 'recent'>;
  readonly statusList: () => Promise<StatusListState | undefined>;
  readonly versions: Versions;
}

export function createAdministration(dependencies: AdministrationDependencies): Administration {
  const { clock, directory, accounts, describeClient, keyrings, refusals, statusList, versions } = dependencies;

  const personOf = async (accountId: string): Promise<PersonRow> => {
    const account = await accounts.find(accountId);
    return {
      accountId,
      ...namesOf(account?.identity),
      connector: account?.connector,
      signedInAt: account?.signedInAt,
    };
  };
  const clientOf = async (clientId: string): Promise<ClientRow> => ({ clientId, ...(await describeClient(clientId)) });

  const personRow = async ({ id, grants }: Party): Promise<PersonRow> => ({ ...(await personOf(id)), grants });
  const clientRow = async ({ id, lastUsedAt }: Party): Promise<ClientRow> => ({ ...(await clientOf(id)), lastUsedAt });

  /** With how many people have approved it, up to a page of them. */
  const countedRow = async (client: ClientRow): Promise<ClientRow> => {
    const { items, next } = await directory.byClient(client.clientId);
    const lastUsedAt = items.length > 0 ? Math.max(...items.map((entry) => entry.lastUsedAt)) : undefined;
    const count = new Set(items.map(({ accountId }) => accountId)).size;
    return { ...client, lastUsedAt, people: { count, orMore: next !== undefined } };
  };

  /** A page of grants may be of one person or one client, which is then read once. */
  const grantRows = async ({ items, next }: Page<GrantEntry>): Promise<Listed<GrantRow>> => {
    const [person, client] = [once(personOf), once(clientOf)];
    const rows = items.map(async ({ accountId, clientId, ...entry }) => ({
      ...entry,
      person: await person(accountId),
      client: await client(clientId),
    }));
    return { rows: await Promise.all(rows), next };
  };
  const grantPage = ({ person, client }: Whose, cursor: string | undefined): Promise<Page<GrantEntry>> => {
    if (person !== undefined) return directory.byPerson(person, cursor);
    return client === undefined ? directory.list(cursor) : directory.byClient(client, cursor);
  };
  const counted = (clients: Listed<ClientRow>) => rowsOf({ items: clients.rows, next: clients.next }, countedRow);

  return {
    versions,
    newest: async (most) => {
      const [people, clients, grants] = await Promise.all([directory.people(), directory.clients(), directory.list()]);
      return {
        people: await rowsOf(first(most, people), personRow),
        clients: await counted(await rowsOf(first(most, clients), clientRow)),
        grants: await grantRows(first(most, grants)),
      };
    },
    people: async (cursor) => rowsOf(await directory.people(cursor), personRow),
    clients: async (cursor) => rowsOf(await directory.clients(cursor), clientRow),
    counted,
    grants: async (whose, cursor) => grantRows(await grantPage(whose, cursor)),
    grant: async (id) => {
      const entry = await directory.get(id);
      return entry && (await grantRows({ items: [entry] })).rows[0];
    },
    person: async (accountId) => {
      const person = await personOf(accountId);
      if (person.connector !== undefined) return person;
      return (await directory.byPerson(accountId)).items.length > 0 ? person : undefined;
    },
    client: async (clientId) => {
      const client = await countedRow(await clientOf(clientId));
      const isStored = client.origin === 'operator' || client.origin === 'registered';
      return isStored || client.lastUsedAt !== undefined ? client : undefined;
    },
    keys: async () => {
      const { signing, personal } = await keyrings();
      const now = seconds(clock);
      return [...keyRows(signing, 'all other tokens', now), ...keyRows(personal, 'personal tokens', now)];
    },
    refusals: () => refusals.recent(),
    statusList,
  };
}

const keyRows = (ring: Keyring | undefined, signs: KeyRow['signs'], now: number): readonly KeyRow[] =>
  ring?.map((entry) => ({
    kid: entry.key.kid,
    algorithm: entry.key.alg,
    signs,
    state: stateOf(entry, ring, now),
    signsFrom: entry.signsFrom,
    publishedUntil: entry.publishedUntil,
  })) ?? [];

const rowsOf = async <Item, Row>(
  { items, next }: Page<Item>,
  toRow: (item: Item) => Promise<Row>,
): Promise<Listed<Row>> => ({ rows: await Promise.all(items.map(toRow)), next });

/** The last page of a list ends without a cursor, so one that is cut needs any. */
const first = <Item>(most: number, { items, next }: Page<Item>): Page<Item> => ({
  items: items.slice(0, most),
  next: items.length > most ? CUT : next,
});

const CUT = 'cut';

function once<Row>(read: (id: string) => Promise<Row>): (id: string) => Promise<Row> {
  const known = new Map<string, Promise<Row>>();
  return (id) => {
    const row = known.get(id) ?? read(id);
    known.set(id, row);
    return row;
  };
}
