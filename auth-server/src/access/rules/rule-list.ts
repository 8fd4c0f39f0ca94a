/**
 * Owns a list of rules: how it is written in a setting, and how it is searched. A list may name files, whose rules are added by
 * access/rules/rule-files.ts.
 */
import { parseRule, type Rule } from './rule.ts';

/** A list as it is written in a setting. */
export interface RuleList {
  readonly rules: readonly Rule[];
  /** Paths of files with more rules, one in each line. */
  readonly files: readonly string[];
}

const FILE = 'file:';

/**
 * @param written separated by commas or line breaks; or a JSON array of texts, for values that contain a comma
 * @throws Error with what is wrong, for the operator
 */
export function parseRuleList(written: string): RuleList {
  return ruleListOf(membersOf(written));
}

export function ruleListOf(members: readonly string[]): RuleList {
  const files = members.filter((member) => member.startsWith(FILE)).map((member) => member.slice(FILE.length).trim());
  if (files.includes('')) throw new Error('file: names no file');
  const rules = members.filter((member) => !member.startsWith(FILE)).map(parseRule);
  if (rules.length + files.length === 0) throw new Error('expected at least one rule');
  return { rules, files };
}

function membersOf(written: string): readonly string[] {
  if (!written.trimStart().startsWith('[')) {
    return written
      .split(/[,\r\n]/)
      .map((member) => member.trim())
      .filter(Boolean);
  }
  let members: unknown;
  try {
    members = JSON.parse(written);
  } catch {
    throw new Error('expected rules separated by commas, or a JSON array of rules');
  }
  if (!Array.isArray(members) || !members.every((member) => typeof member === 'string')) {
    throw new Error('expected a JSON array of texts');
  }
  return members.map((member) => member.trim());
}

const MOST_IN_FILE = 50_000;

/**
 * @param content one rule in each line; empty lines and lines that begin with # do not count
 * @throws Error with the number of the line
 */
export function parseRuleFile(content: string): readonly Rule[] {
  // Half a write, or a mistake: a comment says that a file names nobody on purpose.
  if (content.trim() === '') throw new Error('it is empty; a comment line says that it names nobody');
  const rules: Rule[] = [];
  for (const [index, line] of content
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .entries()) {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) continue;
    try {
      if (written.startsWith(FILE)) throw new Error('a file of rules may not name another file');
      rules.push(parseRule(written));
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}`);
    }
    if (rules.length > MOST_IN_FILE) throw new Error(`it has more than ${MOST_IN_FILE} rules`);
  }
  return rules;
}

/** Rules by type and value: a list of thousands of addresses is searched in one step. */
export interface RuleIndex {
  readonly rules: readonly Rule[];
  /** The rule with exactly this value. */
  find(type: Rule['type'], value: string): Rule | undefined;
  /** The paths of rules about claims; such a rule is found by `path=value`. */
  readonly claimPaths: readonly string[];
  ofType(type: Rule['type']): readonly Rule[];
}

/** @param caseInsensitive types whose values are lower case in identities: federation/connector.ts */
export function indexOf(rules: readonly Rule[], caseInsensitive: readonly string[] = []): RuleIndex {
  const byType = new Map<string, Map<string, Rule>>();
  for (const rule of rules) {
    const values = byType.get(rule.type) ?? new Map<string, Rule>();
    byType.set(rule.type, values);
    const value = caseInsensitive.includes(rule.type) ? rule.value.toLowerCase() : rule.value;
    values.set(rule.path === undefined ? value : `${rule.path}=${value}`, rule);
  }
  return {
    rules,
    claimPaths: [...new Set(rules.flatMap(({ path }) => path ?? []))],
    find: (type, value) => byType.get(type)?.get(value),
    ofType: (type) => [...(byType.get(type)?.values() ?? [])],
  };
}
