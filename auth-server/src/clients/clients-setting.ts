/** Owns how CLIENTS (or the file that CLIENTS_FILE names) is read: a JSON array of clients. All problems are reported at once. */
import { z } from 'zod';
import { type Client, clientSchema, MEMBERS } from './client.ts';
import { unknownMemberProblem, withoutUnused } from './unused-members.ts';

const EXPECTED = 'expected a JSON array of clients, each an object with a client_id';

export const clients = (): z.ZodType<readonly Client[], string> =>
  z.string().transform((text, context) => {
    const entries = parse(text);
    if (!entries) context.addIssue({ code: 'custom', message: EXPECTED });
    const read = (entries ?? []).flatMap((entry, n) => {
      const parsed = clientSchema.safeParse(withoutUnused(entry));
      if (parsed.success) return [parsed.data];
      // Never the value: it may be the secret.
      for (const message of parsed.error.issues.flatMap(wordsOf)) {
        context.addIssue({ code: 'custom', message: `${nameOf(entry, n)}: ${message}` });
      }
      return [];
    });
    const ids = read.map(({ client_id: id }) => id);
    for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) {
      context.addIssue({ code: 'custom', message: `client ${JSON.stringify(id)} is listed twice` });
    }
    return read;
  });

const wordsOf = (issue: z.core.$ZodIssue): readonly string[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((name) => unknownMemberProblem(name, MEMBERS))
    : [[...issue.path, issue.message].join(' ')];

function parse(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(entry: unknown, n: number): string {
  const id = (entry as { client_id?: unknown } | null)?.client_id;
  return `client ${typeof id === 'string' ? JSON.stringify(id.slice(0, 64)) : n + 1}`;
}
