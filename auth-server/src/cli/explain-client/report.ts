/** Owns how the explanation is shown: a tick or the fault with its mend for each check, and one sentence that says whose turn it is. */
import { writeChecks, writeJson } from '@mcp-oauth/shared/cli/checks';
import type { Output } from '@mcp-oauth/shared/service';
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

export function writeReport(report: Report, stdout: Output, asJson: boolean): void {
  const { issuer, checks } = report;
  if (asJson) writeJson({ accepted: isAccepted(report), issuer, turn: turnsOf(report), checks }, stdout);
  else writeChecks(checks.map(shown), conclusion(report), stdout);
}

const shown = ({ check, result, found, expected, error, reason, mend, setting, note }: Check) => ({
  check,
  result,
  found,
  details: [
    ['refused', [error, reason].filter(Boolean).join(': ')],
    ['expected', expected],
    ['to change', mend],
    ['setting', setting],
    ['note', note],
  ] as const,
});

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
