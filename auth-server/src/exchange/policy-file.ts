/** Owns the policy file of exchanges: JSON that is read at start, with a precise message for each mistake. */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { placeOf } from '@mcp-oauth/shared/text/json-text';
import { flawOfNames } from '@mcp-oauth/shared/text/member-names';
import { unknownMember } from '@mcp-oauth/shared/text/nearest';
import { z } from 'zod';
import { MOST_ACTORS } from './actors.ts';
import type { ExchangePolicy } from './policy.ts';

const words = (what: string) => z.array(z.string().min(1, `must be ${what}`));

const target = z.strictObject({
  resource: z.url('must be the URL of an MCP server'),
  scopes: z.array(z.string().regex(SCOPE_TOKEN, 'must be the name of a scope')).min(1, 'must name a scope'),
});

const rule = z
  .strictObject({
    client: z.string().min(1, 'must be the client_id of a client in CLIENTS'),
    resource: z.url('must be the URL of an MCP server'),
    connectors: words('the id of a connector').default([]),
    resources: z.array(target).default([]),
    maxDepth: z.int().min(1).max(MOST_ACTORS).default(1),
  })
  .refine(({ connectors, resources }) => connectors.length + resources.length > 0, {
    message: 'permits nothing: name connectors or resources',
  });

const file = z.strictObject({ clients: z.array(rule).min(1, 'must have an entry') });

/** Members by the place where they stand, for the message about an unknown one. */
const KNOWN = (path: readonly PropertyKey[]): readonly string[] => {
  if (path.length === 0) return Object.keys(file.shape);
  return Object.keys(path.includes('resources') ? target.shape : rule.shape);
};

/** The policy in the file at this path. */
export const exchangePolicy = (): z.ZodType<ExchangePolicy, string> =>
  z.string().transform((path, context): ExchangePolicy => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    try {
      const parsed = file.safeParse(parse(readSettingFile(path.trim(), path.trim())));
      if (parsed.success) return parsed.data.clients;
      for (const issue of parsed.error.issues) for (const text of textsOf(issue)) refuse(text);
    } catch (error) {
      refuse((error as Error).message);
    }
    return z.NEVER;
  });

function parse(content: Buffer): unknown {
  const text = content.toString('utf8');
  const lost = flawOfNames(text);
  if (lost !== undefined) throw new Error(`the file ${lost}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the file is not JSON${placeOf(error)}`);
  }
}

/** Such as `clients[0].resources[1].scopes: must name a scope`. */
function textsOf(issue: z.core.$ZodIssue): readonly string[] {
  const place = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const where = place.replace(/^\./, '') || 'the file';
  if (issue.code !== 'unrecognized_keys') return [`${where}: ${issue.message}`];
  return issue.keys.map((name) => `${where}: ${unknownMember(name, KNOWN(issue.path))}`);
}
