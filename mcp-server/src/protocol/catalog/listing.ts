/**
 * Owns a list in prepared pages: in the same order on every replica, and with cursors that still work when the list
 * has changed between two requests (MCP server/utilities/pagination).
 */
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import { RpcError } from '../call.ts';

export interface Entry {
  /** The name or URI by which entries are sorted and found. */
  readonly key: string;
  /** Required in addition to the base scope. */
  readonly scopes: readonly string[];
  /** The entry as the list shows it. */
  readonly listed: object;
}

/** Whether a caller has all of the given scopes. */
type Permits = (scopes: readonly string[]) => boolean;

export interface Listing<E extends Entry> {
  /** Sorted by key. */
  readonly entries: readonly E[];
  find(key: string): E | undefined;
  /**
   * Returns the same prepared object for the same page and permissions.
   * @param permits leaves out entries whose scopes it does not permit; absent: permits all
   * @throws RpcError for a cursor that does not belong to this list
   */
  page(cursor: unknown, permits?: Permits): object;
}

type Member = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

const PAGE = 100;

/** Callers have few different sets of permissions. If there are very many, the views are discarded and built again. */
const MOST_VIEWS = 64;

/**
 * @param entries with unique keys
 * @param normal normalizes a key, so that equivalent keys are equal
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

/** Contains the list's name and the key before the page: both remain valid when entries are added or removed. */
const cursorAfter = (member: Member, key: string): string => Buffer.from(`${member}:${key}`).toString('base64url');

function keyBefore(member: Member, cursor: unknown): string {
  const text = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString() : '';
  const key = text.slice(member.length + 1);
  if (key && cursor === cursorAfter(member, key)) return key;
  throw new RpcError(INVALID_PARAMS, 'Invalid cursor');
}
