/** Owns how a command shows a list: as a table with a title over each column, as JSON, or in words when there is nothing. */
import { OBEYED, visibleJson } from '../terminal-text.ts';
import type { Invocation, Option } from './command.ts';
import { table } from './table.ts';

/** For the options of a command that shows something. */
export const json: Option = { type: 'boolean', doc: 'As JSON.' };

type Row = Readonly<Record<string, string | number | null>>;

/** @param none what to say in place of an empty table */
export function showList({ options, stdout }: Invocation, rows: readonly Row[], none: string): void {
  const [first] = rows;
  if (options.json) stdout.write(`${toJson(rows)}\n`);
  else if (!first) stdout.write(`${none}\n`);
  else stdout.write(`${table([Object.keys(first).map(titleOf), ...rows.map(cellsOf)])}\n`);
}

/** `signsFrom` is shown as SIGNS FROM. */
const titleOf = (name: string): string => name.replace(/[A-Z]/g, ' $&').toUpperCase();

/** What one person typed is shown to another. */
const cellsOf = (row: Row): readonly string[] =>
  Object.values(row).map((cell) => (cell === null ? '-' : String(cell).replace(OBEYED, '?')));

const toJson = (rows: readonly Row[]): string => visibleJson(JSON.stringify(rows, null, 2));

/** @param seconds since the epoch */
export const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');
