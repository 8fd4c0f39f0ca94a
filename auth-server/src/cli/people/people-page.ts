/**
 * Owns which people a command lists, in pages: those who have approved a client, newest approval first, and after them those who have
 * personal tokens and no approval, by subject.
 */
import { createOwners } from '../../personal-tokens/owners.ts';
import { ownerOf, type PersonalToken } from '../../personal-tokens/token.ts';
import { createTokenRecords } from '../../personal-tokens/token-records.ts';
import { PAGE, type Page } from '../../revocation/grant-directory.ts';
import type { OpenedStore } from '../store.ts';

export interface ListedPerson {
  /** The `accountId`. */
  readonly id: string;
  readonly grants: number;
  readonly tokens: number;
  /** Absent: there is no grant. */
  readonly lastUsedAt?: number | undefined;
}

/** Begins a place after all people with approvals. The places of the directory begin with a digit. */
const WITHOUT_APPROVAL = 'tokens:';

type Opened = Pick<OpenedStore, 'store' | 'directory' | 'clock'>;

export async function peoplePage(place: string | undefined, opened: Opened): Promise<Page<ListedPerson>> {
  const { store, directory, clock } = opened;
  const tokensOf = (id: string) => createTokenRecords(store, clock).of(id);
  if (place?.startsWith(WITHOUT_APPROVAL)) {
    return ownersAfter(place.slice(WITHOUT_APPROVAL.length), PAGE, { ...opened, tokensOf });
  }
  const { items, next } = await directory.people(place);
  const people = await Promise.all(items.map(async (one) => ({ ...one, tokens: (await tokensOf(one.id)).length })));
  if (next !== undefined) return { items: people, next };
  const owners = await ownersAfter('', PAGE - people.length, { ...opened, tokensOf });
  return { items: [...people, ...owners.items], next: owners.next };
}

interface Reading extends Opened {
  readonly tokensOf: (id: string) => Promise<readonly PersonalToken[]>;
}

/** @param most if there may be more, the page says where they begin */
async function ownersAfter(
  after: string,
  most: number,
  { store, clock, directory, tokensOf }: Reading,
): Promise<Page<ListedPerson>> {
  const subjects: string[] = [];
  for await (const subject of createOwners(store, clock).all()) {
    if (ownerOf(subject).kind === 'person' && subject > after) subjects.push(subject);
  }
  const found: ListedPerson[] = [];
  let last = after;
  for (const id of subjects.toSorted()) {
    if (found.length >= most) return { items: found, next: `${WITHOUT_APPROVAL}${last}` };
    last = id;
    const tokens = (await tokensOf(id)).length;
    if (tokens > 0 && (await directory.byPerson(id)).items.length === 0) found.push({ id, grants: 0, tokens });
  }
  return { items: found };
}
