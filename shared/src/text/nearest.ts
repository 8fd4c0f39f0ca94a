/** Owns the message about an unknown name: the name, and the nearest known one. */

/**
 * @returns the known name at the smallest distance, ignoring case; `undefined` if none is near
 * @param furthest maximum number of edits; absent: a third of the letters, and at least one
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

/** @returns the problem as a text. Names may be long and come from others. */
export function unknownMember(name: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = nearest(name, names);
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  return `${shown} is not a known member${meant ? `; did you mean "${meant}"?` : `; known: ${names.join(', ')}`}`;
}

/**
 * The number of letters to insert, delete, replace or swap with their neighbour to turn one text into the other (optimal string
 * alignment).
 * @param limit above it any larger number may be returned; it bounds the work
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
