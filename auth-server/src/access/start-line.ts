/** Owns the line of the log that says at start who may come in with a connector, and who may have which scope. */
import type { RuleFiles } from './rules/rule-files.ts';
import type { RuleList } from './rules/rule-list.ts';
import type { ConnectorRules } from './settings.ts';

const MOST = 12;

export interface StartLine {
  readonly allow: string;
  readonly deny: string;
  readonly scopes: string;
  readonly admins: string;
}

/** @param title the name of the provider on its button */
export function startLineOf(
  { allow, deny, scopes, admins, acceptance }: ConnectorRules,
  files: Pick<RuleFiles, 'rulesIn'>,
  title: string,
): StartLine {
  const wordsOf = (list: RuleList, everybody: string) => openWords(list, files, everybody) ?? listed(list);
  const allowed = allow
    ? wordsOf(allow, `everybody who has an account at ${title}`)
    : 'everybody, because no rule is set: production refuses to start like this';
  return {
    allow: acceptance ? `${allowed}, but only accounts of ${acceptance.env}: ${some(acceptance.named)}` : allowed,
    deny: deny.length > 0 ? deny.map((list) => wordsOf(list, 'everybody')).join(', ') : 'nobody',
    scopes: scopes
      ? `${scopes.map(({ pattern, people }) => `${pattern}: ${wordsOf(people, 'everybody who may come in')}`).join('; ') || 'none'}; every other scope but the base scope: nobody`
      : 'everybody who may come in may have every scope of the resource, because SCOPE_RULES is not set',
    admins: admins ? listed(admins) : 'nobody, and /admin is not there',
  };
}

/** For a list that matches everybody, whatever else is in it. */
function openWords(list: RuleList, files: Pick<RuleFiles, 'rulesIn'>, everybody: string): string | undefined {
  const isAnyone = ({ type }: RuleList['rules'][number]) => type === 'anyone';
  if (list.rules.some(isAnyone)) return everybody;
  const file = list.files.find((path) => files.rulesIn(path).some(isAnyone));
  return file === undefined ? undefined : `${everybody} (anyone in file:${file})`;
}

const listed = ({ rules, files }: RuleList): string =>
  some([...rules.map(({ text }) => text), ...files.map((path) => `file:${path}`)]);

function some(words: readonly string[]): string {
  const more = words.length - MOST;
  return [...words.slice(0, MOST), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
