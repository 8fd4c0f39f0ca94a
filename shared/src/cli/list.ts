/** Owns how a command shows a list: as a table with a title over each column, as JSON, or as a sentence if the list is empty. */
import { OBEYED, visibleJson } from '../text/terminal-text.ts';
import type { Invocation, Option } from './command.ts';
import { table } from './table.ts';

/** The option of every command that shows a list. */
export const json: Option = { type: 'boolean', doc: 'Print JSON.' };

type Row = Readonly<Record<string, string | number | null>>;

/** @param none the sentence for an empty list */
export function showList({ options, stdout }: Invocation, rows: readonly Row[], none: string): void {
  const [first] = rows;
  if (options.json) stdout.write(`${toJson(rows)}\n`);
  else if (!first) stdout.write(`${none}\n`);
  else stdout.write(`${table([Object.keys(first).map(titleOf), ...rows.map(cellsOf)])}\n`);
}

/** `signsFrom` is shown as SIGNS FROM. */
const titleOf = (name: string): string => name.replace(/[A-Z]/g, ' $&').toUpperCase();

/** Values may come from other people: control characters are replaced. */
const cellsOf = (row: Row): readonly string[] =>
  Object.values(row).map((cell) => (cell === null ? '-' : String(cell).replace(OBEYED, '?')));

const toJson = (rows: readonly Row[]): string => visibleJson(JSON.stringify(rows, null, 2));

/** @param seconds since the epoch */
export const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');
