/** Owns what becomes of the value that a completion has given back: texts, or a fault that has a name (MCP completion). */
import { wrongType } from '../../author-fault.ts';

/** Nothing to suggest may be said by giving nothing back. @throws AuthorFault */
export function suggestions(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType('what it has given back', 'a list of strings', value);
  // Not with find, which does not see that a hole is one.
  for (const [index, text] of value.entries()) {
    if (typeof text !== 'string') throw wrongType(`[${index}]`, 'a string', text);
  }
  return value;
}
