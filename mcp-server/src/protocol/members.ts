/** Owns finding a member that is not known where somebody has written it. */
import { unknownMember } from '@mcp-oauth/shared/nearest';

/** @returns what is wrong, in words; nothing when every member is known */
export function strayMember(value: object, known: ReadonlySet<string>): string | undefined {
  for (const name in value) if (!known.has(name)) return unknownMember(name, known);
  return undefined;
}
