/** Owns the words for a member that is not known where somebody has written it: its name, and the nearest known one. */
import { nearest } from '@mcp-oauth/shared/nearest';

/** @returns what is wrong, in words; nothing when every member is known */
export function strayMember(value: object, known: ReadonlySet<string>): string | undefined {
  for (const name in value) if (!known.has(name)) return unknownMember(name, known);
  return undefined;
}

/** Names may be long, and are somebody's own. */
export function unknownMember(name: string, known: ReadonlySet<string>): string {
  const meant = nearest(name, known);
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  return `${shown} is no member that is known here${meant ? `; did you mean "${meant}"?` : `; known: ${[...known].join(', ')}`}`;
}
