/** Owns how RESOURCES is read: URLs of MCP servers in the simple case, JSON where something differs from the defaults. */
import {
  canonicalResource,
  endpointIn,
  insertedUrl,
  PROTECTED_RESOURCE_PATH,
  resourceIdentifiers,
} from '@mcp-oauth/shared/contract';
import { baseUrl, duration, exactList, url } from '@mcp-oauth/shared/settings/types';
import { unknownMember } from '@mcp-oauth/shared/text/nearest';
import { z } from 'zod';
import { personClaimList } from './person-claims.ts';
import type { ResourceSetting } from './resource.ts';
import { scopeName } from './scope-description.ts';

const identifier = z.string().refine((value) => canonicalResource(value) !== undefined, 'expected an absolute URI');

const described = z.strictObject({
  url: baseUrl().superRefine((value, context) => {
    const endpoint = endpointIn(value);
    if (endpoint)
      context.addIssue({ code: 'custom', message: `expected the URL without ${endpoint}, which is appended` });
  }),
  name: z.string().regex(/\S/, 'expected a name').optional(),
  scopes: z
    .record(scopeName, z.string())
    .refine((scopes) => Object.keys(scopes).length > 0, 'expected at least one scope')
    .optional(),
  metadataUrl: url().optional(),
  defaultScope: z.string().min(1).optional(),
  identifiers: z.array(identifier).min(1).optional(),
  // The `aud` of tokens: an identifier, so not blank, and no pattern (RFC 7519 §4.1.3).
  audience: z
    .string()
    .regex(/^[^\s*]+$/, 'expected an identifier without blanks and wildcards')
    .optional(),
  accessTokenLifetime: duration().optional(),
  claims: personClaimList.optional(),
});

function toResource(description: z.output<typeof described>): ResourceSetting {
  const [first, ...others] = description.identifiers ?? resourceIdentifiers(description.url);
  const identifiers = [first ?? description.url, ...others] as const;
  return {
    name: description.name,
    address: description.url.replace(/^https?:\/\//, ''),
    identifiers,
    audience: description.audience ?? identifiers[0],
    scopes: description.scopes,
    metadataUrl: description.metadataUrl ?? metadataUrl(identifiers[0]),
    defaultScope: description.defaultScope,
    accessTokenLifetime: description.accessTokenLifetime,
    claims: description.claims,
  };
}

/** RFC 9728 §3.1: the path of the resource follows the well-known path. */
function metadataUrl(identifier: string): string | undefined {
  return /^https?:/i.test(identifier) ? insertedUrl(PROTECTED_RESOURCE_PATH, identifier) : undefined;
}

function parse(text: string): unknown {
  if (!text.trimStart().startsWith('['))
    return exactList()
      .safeParse(text)
      .data?.map((url) => ({ url }));
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MEMBERS = Object.keys(described.shape);

const wordsOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? unknownMember(issue.keys[0] ?? '', MEMBERS) : issue.message;

/** Finds contradictions between resources that are each well-formed. */
function contradiction(resources: readonly ResourceSetting[]): string | undefined {
  const seen = new Set<string | undefined>();
  for (const { identifiers, scopes, defaultScope } of resources) {
    const missing = scopes && defaultScope?.split(' ').find((name) => !Object.hasOwn(scopes, name));
    if (missing !== undefined) return `defaultScope "${missing}" of ${identifiers[0]} is not one of its scopes`;
    for (const name of new Set(identifiers.map(canonicalResource))) {
      if (seen.has(name)) return `${name} identifies two resources`;
      seen.add(name);
    }
  }
  return undefined;
}

export const resources = (): z.ZodType<readonly [ResourceSetting, ...ResourceSetting[]], string> =>
  z.string().transform((text, context) => {
    const fail = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const parsed = z.array(described).min(1).safeParse(parse(text));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue?.path.length ? ` (${issue.path.join('.')}: ${wordsOf(issue)})` : '';
      return fail(`expected URLs of MCP servers separated by commas, or a JSON array of resources${where}`);
    }
    const [first, ...others] = parsed.data.map(toResource);
    if (!first) return fail('expected at least one resource');
    const problem = contradiction([first, ...others]);
    return problem ? fail(problem) : ([first, ...others] as const);
  });
