/**
 * Owns whether the rules of a file can match where the settings name the file. They are held to the same conditions as rules that
 * stand in the setting itself: a denial that never matches looks like protection.
 */
import type { ConfiguredConnector } from '../federation/registry.ts';
import type { Rule } from './rules/rule.ts';
import type { RuleList } from './rules/rule-list.ts';
import type { ScopeRule } from './scope-rules.ts';
import { type ConnectorAccess, judgeAccess } from './settings.ts';

type Lists = Partial<ConnectorAccess>;

interface Settings {
  readonly peopleAllow?: RuleList | undefined;
  readonly peopleDeny?: RuleList | undefined;
  readonly scopeRules?: readonly ScopeRule[] | undefined;
  readonly admins?: RuleList | undefined;
}

/** @returns why the rules can't be used, with the name of the setting; `undefined` if they can */
export function problemOfFile(
  path: string,
  rules: readonly Rule[],
  { peopleAllow, peopleDeny, scopeRules, admins }: Settings,
  connectors: readonly ConfiguredConnector[],
): string | undefined {
  // Each list has only what the file adds to it, because its own rules were judged at the start.
  const added = (list: RuleList | undefined) => list && { rules: list.files.includes(path) ? rules : [], files: [] };
  const addedToScopes = (given: readonly ScopeRule[] | undefined) =>
    given?.map(({ pattern, people }) => ({ pattern, people: added(people) ?? people }));
  const settings = {
    peopleAllow: added(peopleAllow),
    peopleDeny: added(peopleDeny),
    scopeRules: addedToScopes(scopeRules),
    admins: added(admins),
  };
  const judged = connectors.map((connector) => {
    const every: Lists = connector.every ?? {};
    const own = {
      allow: added(every.allow),
      deny: added(every.deny),
      scopeRules: addedToScopes(every.scopeRules),
      admins: added(every.admins),
    };
    return { ...connector, every: { ...connector.every, ...own } };
  });
  const [problem] = judgeAccess(settings, judged);
  return problem && `${problem.env}: ${problem.message}`;
}
