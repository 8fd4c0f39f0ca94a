/**
 * Owns the groups of a person who has too many for an id token: Entra then sends a hint instead ("groups overage"), and Microsoft Graph
 * lists them page by page, up to a bound.
 */
import { z } from 'zod';
import { UpstreamError } from '../../federation/connector.ts';

/** `_claim_names` with a source for the groups, or `hasgroups` in tokens that have no room for it. */
export function hasOverage(idToken: Readonly<Record<string, unknown>>): boolean {
  const { _claim_names: names, hasgroups } = idToken;
  const isNamed = typeof names === 'object' && names !== null && Object.hasOwn(names, 'groups');
  return isNamed || hasgroups === true || hasgroups === 'true';
}

export interface ListedGroups {
  readonly groups: readonly string[];
  /** Why groups are missing. */
  readonly incomplete?: string | undefined;
}

/** 3 x 999 groups: more than a person has in practice, and little enough to store. */
const MOST_PAGES = 3;
const FIRST_PAGE = '/v1.0/me/transitiveMemberOf?$select=id&$top=999';
const GROUP = '#microsoft.graph.group';

/** An entry has these members even if the app may not read the rest of it. */
const entry = z.object({ '@odata.type': z.string(), id: z.string() });
const page = z.object({ value: z.array(entry), '@odata.nextLink': z.string().optional() });

/**
 * The groups of the signed-in person, nested ones included. The address in the id token is not asked: it names an API that no longer
 * exists, and a token must only go to the Graph that is configured.
 * @throws UpstreamError `unavailable`
 */
export async function groupsFromGraph(
  fetch: typeof globalThis.fetch,
  graphUrl: string,
  accessToken: string | undefined,
): Promise<ListedGroups> {
  if (accessToken === undefined) return { groups: [], incomplete: 'only a sign-in can ask Microsoft Graph' };
  const groups: string[] = [];
  let next: string | undefined = graphUrl + FIRST_PAGE;
  for (let asked = 0; next !== undefined; asked += 1) {
    if (asked === MOST_PAGES) return { groups, incomplete: `Microsoft Graph lists more than ${MOST_PAGES * 999}` };
    if (!next.startsWith(`${graphUrl}/`)) return { groups, incomplete: 'Microsoft Graph names a next page elsewhere' };
    const response: Response = await fetch(next, {
      headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` },
    });
    const read = page.safeParse(await response.json().catch(() => undefined));
    if (!response.ok || !read.success) {
      return {
        groups,
        incomplete: `Microsoft Graph answered ${response.status}${response.ok ? ' with an unexpected list' : ''}`,
      };
    }
    // The list has directory roles and administrative units too.
    groups.push(...read.data.value.filter((listed) => listed['@odata.type'] === GROUP).map(({ id }) => id));
    next = read.data['@odata.nextLink'];
  }
  return { groups };
}

/** @returns the stable id of a person in their tenant, which is the same for every application */
export function objectIdOf({ oid }: Readonly<Record<string, unknown>>): string {
  if (typeof oid === 'string') return oid;
  throw new UpstreamError('invalid_answer', 'the id token has no oid', {
    claim: 'oid',
    expected: 'a text',
    found: typeof oid,
  });
}
