/** Owns how the explanation is shown: a tick or the fault with its mend for each check, and one sentence that says whose turn it is. */
import type { Output } from '@mcp-oauth/shared/service';
import { OBEYED, visibleJson } from '@mcp-oauth/shared/text/terminal-text';
import type { Check, Turn } from './check.ts';

interface Report {
  readonly issuer: string;
  readonly checks: readonly Check[];
}

export const isAccepted = ({ checks }: Report): boolean => checks.every(({ result }) => result !== 'refused');

const TURNS: Readonly<Record<Turn, string>> = {
  client: 'the developer of the client',
  operator: 'the operator of this server',
};

const SIGNS = { accepted: '✓', refused: '✗', unchecked: '·' } as const;

export function writeJson(report: Report, stdout: Output): void {
  const { issuer, checks } = report;
  const told = { accepted: isAccepted(report), issuer, turn: turnsOf(report), checks };
  stdout.write(`${visibleJson(JSON.stringify(told, null, 2))}\n`);
}

/** Values come from other people: control characters are replaced. */
export function writeText(report: Report, stdout: Output): void {
  const lines = [...report.checks.flatMap(linesOf), '', conclusion(report)];
  stdout.write(`${lines.map((line) => line.replace(OBEYED, '?')).join('\n')}\n`);
}

function linesOf(one: Check): readonly string[] {
  const { check, result, found, expected, error, reason, mend, setting, note } = one;
  const head = `${SIGNS[result]} ${[check, found].filter(Boolean).join(': ')}`;
  const details = [
    ['refused', [error, reason].filter(Boolean).join(': ')],
    ['expected', expected],
    ['to change', mend],
    ['setting', setting],
    ['note', note],
  ] as const;
  return [head, ...details.filter(([, said]) => said).map(([name, said]) => `    ${name}: ${said}`)];
}

const refusedIn = ({ checks }: Report): readonly Check[] => checks.filter(({ result }) => result === 'refused');

/** Those who have to act, each once. */
const turnsOf = (report: Report): readonly Turn[] => [
  ...new Set(refusedIn(report).flatMap(({ turn }) => (turn ? [turn] : []))),
];

function conclusion(report: Report): string {
  if (report.checks.some(({ result }) => result === 'unchecked') && isAccepted(report)) {
    return 'Nothing is refused. What is marked with · was not checked.';
  }
  if (isAccepted(report)) return `Accepted: ${report.issuer} would ask the person.`;
  const turns = turnsOf(report).map((turn) => TURNS[turn] + settingsOf(report, turn));
  return `Refused: it is the turn of ${turns.join(' and ')}.`;
}

/** The settings that the operator has to look at. */
function settingsOf(report: Report, turn: Turn): string {
  const settings = refusedIn(report).flatMap((one) => (one.turn === turn && one.setting ? [one.setting] : []));
  return turn === 'operator' && settings.length > 0 ? ` (${[...new Set(settings)].join(', ')})` : '';
}
