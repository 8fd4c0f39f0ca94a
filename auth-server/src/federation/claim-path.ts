/**
 * Owns how a claim is found by its path: the names of members with a dot between them, as in `realm_access.roles`. A member whose
 * own name contains dots, such as `https://example.com/roles`, is found too (OpenID Connect Core 1.0 §5.1.2 recommends such names).
 */

type Members = Readonly<Record<string, unknown>>;

/**
 * The value at `path`. Of several members that fit, the one with the longest name is tried first.
 * @returns `undefined` if there is none; a list has no members
 */
export function valueAt(claims: unknown, path: string): unknown {
  if (!isObject(claims)) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end);
    if (!Object.hasOwn(claims, name)) continue;
    const value = end === path.length ? claims[name] : valueAt(claims[name], path.slice(end + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * The texts at `path`, each whole. A text, number or boolean counts as a list of one; a text is never split, because a name may
 * contain commas and spaces. Other members of a list are dropped.
 */
export const textsAt = (claims: unknown, path: string): readonly string[] =>
  [valueAt(claims, path)].flat().filter(isScalar).map(String);

/** Whether the value at `path` has something that is no text and that `textsAt` drops. A null says nothing. */
export const hasOthersAt = (claims: unknown, path: string): boolean =>
  [valueAt(claims, path)].flat().some((member) => member !== undefined && member !== null && !isScalar(member));

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
