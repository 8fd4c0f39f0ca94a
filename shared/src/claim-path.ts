/**
 * Owns how a claim is found by its path: the names of members with a dot between them, as in `realm_access.roles`. A member whose
 * own name contains dots, such as `https://example.com/roles`, is found too (OpenID Connect Core 1.0 §5.1.2 recommends such names).
 */
import { isObject } from '@mcp-oauth/shared/json';

/**
 * The value at `path`. Of several members that fit, the one with the longest name is tried first; a null says nothing.
 * @returns `undefined` if there is none; a list has no members
 */
export function valueAt(claims: unknown, path: string): unknown {
  if (!isObject(claims)) return undefined;
  for (const [name, rest] of partsOf(path)) {
    if (!Object.hasOwn(claims, name)) continue;
    const value = rest === undefined ? claims[name] : valueAt(claims[name], rest);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The names with which the path may begin, the longest first, each with the path that is left below it. */
function partsOf(path: string): readonly (readonly [name: string, rest: string | undefined])[] {
  const parts: (readonly [string, string | undefined])[] = [];
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    parts.push([path.slice(0, end), end === path.length ? undefined : path.slice(end + 1)]);
  }
  return parts;
}

/**
 * The texts at `path`, each whole. A text, number or boolean counts as a list of one; a text is never split, because a name may
 * contain commas and spaces. Other members of a list are dropped, and `unreadAt` tells.
 */
export const textsAt = (claims: unknown, path: string): readonly string[] =>
  [valueAt(claims, path)].flat().filter(isScalar).map(String);

/**
 * Why the person may have more at `path` than `textsAt` says, for the log: a member is no text, a parent is no object, or the provider
 * keeps the claim elsewhere. A null says nothing.
 */
export function unreadAt(claims: unknown, path: string): string | undefined {
  const value = valueAt(claims, path);
  if (value !== undefined) {
    const others = [value].flat().filter((member) => member !== undefined && member !== null && !isScalar(member));
    return others.length > 0 ? `the claim ${path} has members that are no text` : undefined;
  }
  if (hasOddParent(claims, path)) return `the path of the claim ${path} leads through a value that is no object`;
  if (isElsewhere(claims, path)) return `the provider refers to another place for the claim ${path}`;
  return undefined;
}

function hasOddParent(claims: unknown, path: string): boolean {
  return partsOf(path).some(([name, rest]) => {
    if (rest === undefined || !isObject(claims) || !Object.hasOwn(claims, name)) return false;
    const parent = claims[name] ?? undefined;
    return isObject(parent) ? hasOddParent(parent, rest) : parent !== undefined;
  });
}

/** OpenID Connect Core 1.0 §5.6.2: `_claim_names` lists claims whose values are at another place, such as the groups of Entra. */
function isElsewhere(claims: unknown, path: string): boolean {
  const { _claim_names: names } = isObject(claims) ? claims : {};
  return isObject(names) && partsOf(path).some(([name]) => Object.hasOwn(names, name));
}

/** A number counts if JSON represents it without loss: several long ids would become one number. */
const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER);
