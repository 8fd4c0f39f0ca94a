/** Owns what is said of a name that is not known: itself, and the nearest of those that are. */

/**
 * @returns the known name at the smallest distance, whatever its case; nothing when none is near
 * @param furthest most edits for a name to be near; absent: a third of its letters, and one at the least
 */
export function nearest(name: string, known: Iterable<string>, furthest?: number): string | undefined {
  const limit = furthest ?? Math.max(1, Math.floor(name.length / 3));
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), limit);
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { name: candidate, distance };
  }
  return best?.name;
}

/** @returns what is wrong, in words. Names may be long, and are somebody's own. */
export function unknownMember(name: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = nearest(name, names);
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  return `${shown} is no member that is known here${meant ? `; did you mean "${meant}"?` : `; known: ${names.join(', ')}`}`;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour to make one text of the other (optimal string alignment).
 * @param limit beyond it any larger number may be returned; it bounds the work
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last, current];
  }
  return at(last, b.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY;
