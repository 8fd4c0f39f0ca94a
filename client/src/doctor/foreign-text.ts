/**
 * Owns how a member of a foreign document becomes a text. JavaScript throws for an object whose member `toString` is no function, and
 * for lists inside lists without end: a server must not end the run by either.
 */

/** A text as it is, anything else as JSON. */
export function foreignText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return 'a value with too many levels';
  }
}

/** The members of a list with a space between them, or the value itself. */
export const foreignWords = (value: unknown): string => [value].flat().map(foreignText).join(' ');
