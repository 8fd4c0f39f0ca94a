/** Owns how a command shows a list that may be long: one page, and how to get the next one. */
import type { Invocation, Option } from '@mcp-oauth/shared/cli/command';
import { json, showList } from '@mcp-oauth/shared/cli/list';
import { visible } from '@mcp-oauth/shared/text/terminal-text';
import type { Page } from '../../revocation/grant-directory.ts';

/** The options of every command that shows a page. */
export const paged = {
  after: { type: 'string', value: 'place', doc: 'Show the page that the command named below the one before.' },
  json,
} as const satisfies Readonly<Record<string, Option>>;

export const placeOf = ({ options }: Invocation): string | undefined =>
  typeof options.after === 'string' ? options.after : undefined;

type Row = Parameters<typeof showList>[1][number];

/** @param none the sentence for an empty list */
export function showPage(invocation: Invocation, { items, next }: Page<Row>, none: string): void {
  showList(invocation, items, next === undefined ? none : 'There is nothing on this page.');
  if (next !== undefined) invocation.stderr.write(`More follow: --after ${quoted(next)}\n`);
}

/** One word for a shell (CWE-78): a place may have the id of a client, which is a URL that somebody else has chosen. */
const quoted = (place: string): string =>
  /^[\w.:-]+$/.test(place) ? place : `'${visible(place).replaceAll("'", "'\\''")}'`;
