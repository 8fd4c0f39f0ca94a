/**
 * Owns the search for people and clients by a part of a name, an address or an id. Names are not indexed, so a bounded number of people
 * and clients is looked through; a whole id is always found.
 */
import type { Administration, ClientRow, Listed, PersonRow } from './overview.ts';

export interface SearchResult {
  readonly people: readonly PersonRow[];
  readonly clients: readonly ClientRow[];
  /** Whether there are more than were looked through. */
  readonly isPartial: boolean;
}

/** Pages of each list. */
const PAGES = 5;
const MOST = 50;

type Searched = Pick<Administration, 'people' | 'clients' | 'person' | 'client'>;

export async function search(text: string, administration: Searched): Promise<SearchResult> {
  const wanted = comparable(text.trim());
  if (wanted === '') return { people: [], clients: [], isPartial: false };
  const [person, client, people, clients] = await Promise.all([
    administration.person(text.trim()),
    administration.client(text.trim()),
    lookThrough(administration.people, ({ name, address, accountId }) => [name, address, accountId], wanted),
    lookThrough(administration.clients, ({ name, clientId }) => [name, clientId], wanted),
  ]);
  return {
    people: unique([...(person ? [person] : []), ...people.found], ({ accountId }) => accountId),
    clients: unique([...(client ? [client] : []), ...clients.found], ({ clientId }) => clientId),
    isPartial: people.isPartial || clients.isPartial,
  };
}

async function lookThrough<Row>(
  list: (cursor?: string) => Promise<Listed<Row>>,
  textsOf: (row: Row) => readonly (string | undefined)[],
  wanted: string,
): Promise<{ readonly found: readonly Row[]; readonly isPartial: boolean }> {
  const found: Row[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const { rows, next } = await list(cursor);
    found.push(...rows.filter((row) => textsOf(row).some((text) => comparable(text ?? '').includes(wanted))));
    if (next === undefined) return { found, isPartial: found.length > MOST };
    cursor = next;
  }
  return { found, isPartial: true };
}

const comparable = (text: string): string => text.normalize('NFKC').toLowerCase();

const unique = <Row>(rows: readonly Row[], idOf: (row: Row) => string): readonly Row[] =>
  [...new Map(rows.map((row) => [idOf(row), row])).values()].slice(0, MOST);
