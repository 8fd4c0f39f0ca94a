/** Owns the detection of unknown members in the definitions of authors. */
import { unknownMember } from '@mcp-oauth/shared/text/nearest';

/** @returns a description of the first unknown member; nothing when every member is known */
export function strayMember(value: object, known: ReadonlySet<string>): string | undefined {
  for (const name in value) if (!known.has(name)) return unknownMember(name, known);
  return undefined;
}
