/** Owns the line of the log that says at start who may come in with a connector, and who may have which scope. */
import type { ConnectorRules } from './access.ts';
import type { RuleList } from './rules/rule-list.ts';

const MOST = 12;

export interface StartLine {
  readonly allow: string;
  readonly deny: string;
  readonly scopes: string;
}

/** @param title the name of the provider on its button */
export function startLineOf({ allow, deny, scopes }: ConnectorRules, title: string): StartLine {
  return {
    allow: allow
      ? allowWords(allow, title)
      : 'everybody, because no rule is set: production refuses to start like this',
    deny: deny.length > 0 ? deny.map(wordsOf).join(', ') : 'nobody',
    scopes: scopes
      ? `${scopes.map(({ pattern, people }) => `${pattern}: ${wordsOf(people)}`).join('; ') || 'none'}; every other scope but the base scope: nobody`
      : 'everybody who may come in may have every scope of the resource, because SCOPE_RULES is not set',
  };
}

const allowWords = (list: RuleList, title: string): string =>
  list.rules.some(({ type }) => type === 'anyone') ? `everybody who has an account at ${title}` : wordsOf(list);

function wordsOf({ rules, files }: RuleList): string {
  const words = [...rules.map(({ text }) => text), ...files.map((path) => `file:${path}`)];
  const more = words.length - MOST;
  return [...words.slice(0, MOST), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
