/**
 * Owns a list as clients read it, in pages that are made once: in one order on every replica, and with cursors that still
 * lead on when the list has changed in between (MCP server/utilities/pagination).
 */
import { RpcError } from '../call.ts';

export interface Entry {
  /** What it is sorted and found by: a name or a URI. */
  readonly key: string;
  /** Needed on top of the base scope. */
  readonly scopes: readonly string[];
  /** As it stands in the list. */
  readonly listed: object;
}

/** Whether somebody has some scopes. */
type Permits = (scopes: readonly string[]) => boolean;

export interface Listing<E extends Entry> {
  /** By key, in order. */
  readonly entries: readonly E[];
  find(key: string): E | undefined;
  /**
   * The same object for the same question, ready to be sent.
   * @param permits leaves out what it does not permit; absent: nothing
   * @throws RpcError for a cursor that is not of this list
   */
  page(cursor: unknown, permits?: Permits): object;
}

type Member = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

const PAGE = 100;

/** Callers differ in few ways; should somebody hold ever new ones, the views are made anew. */
const MOST_VIEWS = 64;

/**
 * @param entries with keys of which none is there twice
 * @param normal the one spelling of all keys that are equivalent
 */
export function createListing<E extends Entry>(
  member: Member,
  entries: readonly E[],
  normal: (key: string) => string = (key) => key,
): Listing<E> {
  const sorted = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const byKey = new Map(sorted.map((entry) => [entry.key, entry]));
  const byNormal = new Map(sorted.map((entry) => [normal(entry.key), entry]));
  const all = createPages(member, sorted);
  const guarded = [...new Map(sorted.map(({ scopes }) => [scopes.join(' '), scopes])).values()];
  const views = new Map<string, Pages>();
  const viewFor = (permits: Permits): Pages => {
    const verdicts = guarded.map(permits);
    if (!verdicts.includes(false)) return all;
    const id = verdicts.map(Number).join('');
    const known = views.get(id);
    if (known) return known;
    const permitted = new Set(guarded.filter((_, index) => verdicts[index]).map((scopes) => scopes.join(' ')));
    const view = createPages(
      member,
      sorted.filter(({ scopes }) => permitted.has(scopes.join(' '))),
    );
    if (views.size >= MOST_VIEWS) views.clear();
    views.set(id, view);
    return view;
  };
  return {
    entries: sorted,
    find: (key) => byKey.get(key) ?? byNormal.get(normal(key)),
    page: (cursor, permits) => (permits ? viewFor(permits) : all)(cursor),
  };
}

type Pages = (cursor: unknown) => object;

function createPages(member: Member, entries: readonly Entry[]): Pages {
  const pageFrom = (start: number) => {
    const shown = entries.slice(start, start + PAGE);
    const last = shown.at(-1);
    const more = last !== undefined && start + PAGE < entries.length;
    return { [member]: shown.map(({ listed }) => listed), ...(more && { nextCursor: cursorAfter(member, last.key) }) };
  };
  const first = pageFrom(0);
  const next = new Map<unknown, object>();
  for (let start = PAGE; start < entries.length; start += PAGE) {
    const before = entries[start - 1];
    if (before) next.set(cursorAfter(member, before.key), pageFrom(start));
  }
  return (cursor) => {
    if (cursor === undefined) return first;
    const known = next.get(cursor);
    if (known) return known;
    const after = keyBefore(member, cursor);
    const start = entries.findIndex(({ key }) => key > after);
    return pageFrom(start === -1 ? entries.length : start);
  };
}

/** Says after which key the page begins, and of which list: that stays true whatever comes and goes. */
const cursorAfter = (member: Member, key: string): string => Buffer.from(`${member}:${key}`).toString('base64url');

function keyBefore(member: Member, cursor: unknown): string {
  const text = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString() : '';
  const key = text.slice(member.length + 1);
  if (key && cursor === cursorAfter(member, key)) return key;
  throw new RpcError(-32602, 'Invalid cursor');
}
