/**
 * Owns who may have which scope (RFC 6749 §3.3): patterns of scope names, each with the rules of the people who may have them. Once
 * a pattern is set, a scope that no pattern names is for nobody, except for accounts of people: EXCHANGE_POLICY has permitted them.
 */
import { SCOPE_TOKEN, UPSTREAM_SCOPE } from '@mcp-oauth/shared/contract';
import { z } from 'zod';
import type { Identity } from '../federation/connector.ts';
import { matching } from './decision.ts';
import { parseRuleList, type RuleIndex, type RuleList, ruleListOf } from './rules/rule-list.ts';

/** A name, or a beginning followed by `*`. */
type ScopePattern = string;

export interface ScopeRule<L = RuleList> {
  readonly pattern: ScopePattern;
  readonly people: L;
}

const MOST = 200;

const EXPECTED =
  'expected scopes and their rules, such as mcp:admin=group:ops; notes:*=domain:example.com, or a JSON object of them, or none';

/** No scope beyond the base scope is for anybody. A file for every identity provider can say this, and no rule. */
const NONE = 'none';

/**
 * @param written `scope=rules`, separated by semicolons or line breaks; or a JSON object; or `none`
 * @throws Error with what is wrong, for the operator
 */
export function parseScopeRules(written: string): readonly ScopeRule[] {
  if (written.trim() === NONE) return [];
  const entries = written.trimStart().startsWith('{') ? entriesInJson(written) : entriesInText(written);
  if (entries.length === 0) throw new Error(EXPECTED);
  if (entries.length > MOST) throw new Error(`it has more than ${MOST} scopes`);
  return entries.map(([pattern, rules]) => {
    const name = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
    if ((name !== '' || pattern === '') && (!SCOPE_TOKEN.test(name) || name.includes('*'))) {
      throw new Error(`${JSON.stringify(pattern)} is not a scope: expected a name such as mcp:admin, or mcp:*`);
    }
    try {
      return {
        pattern,
        people: typeof rules === 'string' ? parseRuleList(rules) : ruleListOf(rules.map((rule) => rule.trim())),
      };
    } catch (error) {
      throw new Error(`${pattern}: ${(error as Error).message}`);
    }
  });
}

type Entry = readonly [pattern: string, rules: string | readonly string[]];

function entriesInText(written: string): readonly Entry[] {
  return written
    .split(/[;\r\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw new Error(EXPECTED);
      return [entry.slice(0, at).trim(), entry.slice(at + 1)];
    });
}

function entriesInJson(written: string): readonly Entry[] {
  let said: unknown;
  try {
    said = JSON.parse(written);
  } catch {
    throw new Error(EXPECTED);
  }
  const parsed = z.record(z.string(), z.union([z.string(), z.array(z.string())])).safeParse(said);
  if (!parsed.success) throw new Error(EXPECTED);
  return Object.entries(parsed.data);
}

/**
 * The names that the person may have.
 * @param rules absent: everybody who may come in may have all of them
 * @param free scopes that nobody needs a rule for: the base scope of the resource
 */
export function permittedScopes(
  identity: Identity,
  names: readonly string[],
  rules: readonly ScopeRule<RuleIndex>[] | undefined,
  free: ReadonlySet<string>,
): readonly string[] {
  const mine = permittedPatterns(identity, rules);
  const isFree = (name: string) =>
    name.startsWith(UPSTREAM_SCOPE)
      ? !rules?.some(({ pattern }) => isNamedBy(name, pattern))
      : // A rule that names the base scope itself counts.
        free.has(name) && !rules?.some(({ pattern }) => pattern === name);
  return names.filter((name) => isFree(name) || mine.some((pattern) => isNamedBy(name, pattern)));
}

/** The patterns that name the person; without rules everybody has all scopes. */
export const permittedPatterns = (
  identity: Identity,
  rules: readonly ScopeRule<RuleIndex>[] | undefined,
): readonly ScopePattern[] =>
  rules?.filter(({ people }) => matching(identity, people)).map(({ pattern }) => pattern) ?? ['*'];

const isNamedBy = (name: string, pattern: ScopePattern): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
