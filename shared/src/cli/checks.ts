/** Owns how a command shows checks: a tick or the fault with its details for each, and one sentence at the end. */
import type { Output } from '../service.ts';
import { OBEYED, visibleJson } from '../text/terminal-text.ts';

export type Result = 'accepted' | 'refused' | 'unchecked';

interface Shown {
  readonly check: string;
  readonly result: Result;
  readonly found?: string | undefined;
  /** Lines below the check; those without a text are left out. */
  readonly details: readonly (readonly [name: string, said: string | undefined])[];
}

const SIGNS: Readonly<Record<Result, string>> = { accepted: '✓', refused: '✗', unchecked: '·' };

/** Values come from other people: control characters are replaced. */
export function writeChecks(checks: readonly Shown[], conclusion: string, stdout: Output): void {
  const lines = [...checks.flatMap(linesOf), '', conclusion];
  stdout.write(`${lines.map((line) => line.replace(OBEYED, '?')).join('\n')}\n`);
}

function linesOf({ check, result, found, details }: Shown): readonly string[] {
  const head = `${SIGNS[result]} ${[check, found].filter(Boolean).join(': ')}`;
  return [head, ...details.filter(([, said]) => said).map(([name, said]) => `    ${name}: ${said}`)];
}

export function writeJson(value: object, stdout: Output): void {
  stdout.write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
}
