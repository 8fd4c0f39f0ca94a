/**
 * Owns what the metadata of a resource says about the tools behind its scopes (an extension of RFC 9728 §2). It is text for the
 * sign-in page only, of limited size; what is malformed is ignored.
 */
import { z } from 'zod';
import { displayName } from './display-name.ts';

export interface ToolsOfScope {
  readonly titles: readonly string[];
  /** How many there are besides these. */
  readonly more: number;
  /** Whether all of them say that they only read. */
  readonly isReadOnly: boolean;
}

export type ToolsByScope = ReadonlyMap<string, ToolsOfScope>;

export const NO_TOOLS: ToolsByScope = new Map();

const MOST_TITLES = 20;
const MOST_TOOLS = 10_000;

const described = z.object({
  tools: z.array(z.unknown()),
  total: z.int().min(0).max(MOST_TOOLS).optional().catch(undefined),
  read_only: z.boolean().optional().catch(undefined),
});

/** @param scopes the scopes of the resource: others are ignored */
export function readToolsByScope(member: unknown, scopes: readonly string[]): ToolsByScope {
  if (typeof member !== 'object' || member === null) return NO_TOOLS;
  const known = scopes.filter((name) => Object.hasOwn(member, name));
  return new Map(
    known.flatMap((name) => {
      const { data } = described.safeParse(Reflect.get(member, name));
      const tools = data && toolsOf(data);
      return tools ? [[name, tools] as const] : [];
    }),
  );
}

function toolsOf({ tools, total, read_only: readOnly }: z.output<typeof described>): ToolsOfScope | undefined {
  const names = tools.slice(0, MOST_TITLES).filter((title) => typeof title === 'string');
  const titles = names.map(displayName).filter((title) => title !== undefined);
  if (titles.length === 0) return undefined;
  return { titles, more: Math.max(0, (total ?? tools.length) - titles.length), isReadOnly: readOnly === true };
}
