/** Owns the texts of scopes for the sign-in page: those of the operator, or ours for the scopes of our own MCP server. */
import { SCOPE_TOKEN, SCOPES } from '@mcp-oauth/shared/contract';
import { z } from 'zod';

/** Scope names and their descriptions. */
export type Scopes = Readonly<Record<string, string>>;

export const scopeName = z.string().regex(SCOPE_TOKEN, 'a scope name has no spaces, quotes or backslashes');

const LONGEST = 200;

/** A scope without a text is shown by its name. */
export function describeScopes(names: readonly string[], words: Scopes = {}): Scopes {
  const known: Scopes = { ...SCOPES, ...words };
  return Object.fromEntries(names.map((name) => [name, Object.hasOwn(known, name) ? (known[name] ?? name) : name]));
}

/** A JSON object of scope names and texts. */
export const scopeDescriptions = (): z.ZodType<Scopes, string> =>
  z.string().transform((text, context) => {
    const parsed = z.record(scopeName, z.string().trim().min(1).max(LONGEST)).safeParse(parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue?.path.length ? `${issue.path.join('.')}: ${issue.message}` : 'not a JSON object';
    context.addIssue({
      code: 'custom',
      message: `expected a JSON object of scope names and what each allows, in at most ${LONGEST} characters (${where})`,
    });
    return z.NEVER;
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
