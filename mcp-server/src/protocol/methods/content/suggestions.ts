/** Owns the conversion of a completion's return value to texts, or to a named error (MCP completion). */
import { wrongType } from '../../author-fault.ts';

/** An absent value means no suggestions. @throws AuthorFault */
export function suggestions(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType('the returned value', 'a list of strings', value);
  // Unlike find, this also detects holes of the list.
  for (const [index, text] of value.entries()) {
    if (typeof text !== 'string') throw wrongType(`[${index}]`, 'a string', text);
  }
  return value;
}
