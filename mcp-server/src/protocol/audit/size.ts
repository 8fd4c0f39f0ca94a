/** Owns the size of a JSON value: characters of its text, without writing it, and without the escapes in it. */

/** Values that are looked at: an author may return a list without end, and a call pays for this. */
const MOST = 20_000;
/** Levels that are looked at: a value may contain itself. */
const DEEPEST = 100;

/** The size, or what the first values have where there are too many. */
export const sizeOf = (value: unknown): number => sizeWithin(value, { left: MOST }, DEEPEST);

function sizeWithin(value: unknown, budget: { left: number }, levels: number): number {
  budget.left -= 1;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : String(value).length;
  let size = 2;
  if (levels === 0) return size;
  if (Array.isArray(value)) {
    for (const member of value) {
      if (budget.left <= 0) break;
      size += sizeWithin(member, budget, levels - 1) + 1;
    }
    return Math.max(2, size - 1);
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (budget.left <= 0) break;
    if (member !== undefined) size += name.length + 4 + sizeWithin(member, budget, levels - 1);
  }
  return Math.max(2, size - 1);
}
