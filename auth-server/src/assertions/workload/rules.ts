/** Owns the file with the rules about workloads: which claims of a JWT give which subject, client, resource and scopes. */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { StartError } from '@mcp-oauth/shared/errors';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import { placeOf } from '@mcp-oauth/shared/text/json-text';
import { flawOfNames } from '@mcp-oauth/shared/text/member-names';
import { z } from 'zod';

export interface WorkloadRule {
  /** All of them must fit. */
  readonly when: readonly Condition[];
  readonly subject: string;
  readonly client: string;
  readonly resource: string;
  readonly scopes: readonly string[];
}

interface Condition {
  /** Path of the claim. */
  readonly claim: string;
  fits(value: unknown): boolean;
}

/** `repo:acme*` would also fit the repositories of `acme-evil`, so the part before the asterisk ends with a separator. */
const PATTERN = /^(?:[^*]*[^*\s][^*]*|[^*]*[^*:/\s][^*]*[:/]\*)$/;

const pattern = z.string().regex(PATTERN, 'expected a value, or a beginning with : or / before one * at its end');

const rule = z.strictObject({
  when: z.record(z.string().min(1), pattern).refine((when) => Object.keys(when).length > 0, {
    message: 'expected at least one claim: a rule without any would be about every workload of the issuer',
  }),
  subject: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected lower-case letters, digits and . _ -'),
  client: z.string().min(1),
  resource: z.string().min(1),
  scopes: z.array(z.string().regex(SCOPE_TOKEN, 'expected a scope')).min(1),
});

const schema = z.array(rule).min(1);

/** Platforms that sign for everybody: the claims that say whose workload it is, of which each rule needs one. */
const PUBLIC_PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  'https://token.actions.githubusercontent.com': [
    'repository_owner_id',
    'repository_id',
    'repository_owner',
    'repository',
  ],
  'https://gitlab.com': ['namespace_id', 'project_id', 'namespace_path', 'project_path'],
};

/** @throws StartError also for a rule that would be about the workloads of strangers */
export function readWorkloadRules(path: string, issuer: string): readonly WorkloadRule[] {
  const text = readSettingFile(`the file ${path}`, path).toString();
  const refuse = (message: string): never => {
    throw new StartError(`the file ${path}: ${message}`);
  };
  const lost = flawOfNames(text);
  if (lost !== undefined) refuse(lost);
  const { data, error } = schema.safeParse(parsed(text, refuse));
  if (!data) {
    const [issue] = error.issues;
    return refuse(`${issue?.path.join('.') || 'rules'}: ${issue?.message}`);
  }
  const rules = data.map(({ when, ...others }) => ({ ...others, when: Object.entries(when).map(conditionOf) }));
  const owners = PUBLIC_PLATFORMS[issuer];
  const open = rules.findIndex(({ when }) => owners && !when.some(({ claim }) => owners.includes(claim)));
  if (open >= 0) refuse(`${open}.when: everybody gets JWTs of this issuer, so name one of ${owners?.join(', ')}`);
  return rules;
}

function parsed(text: string, refuse: (message: string) => never): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON${placeOf(error)}`);
  }
}

function conditionOf([claim, expected]: readonly [string, string]): Condition {
  const start = expected.endsWith('*') ? expected.slice(0, -1) : undefined;
  return {
    claim,
    fits: (value) => {
      // A list says that one of several is true, which is less than a rule asks for.
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false;
      return start === undefined ? String(value) === expected : String(value).startsWith(start);
    },
  };
}
