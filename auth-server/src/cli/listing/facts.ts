/** Owns how a command shows one thing: its facts, one a line, and lists of what belongs to it; or all of that as JSON. */
import type { Invocation } from '@mcp-oauth/shared/cli/command';
import { showList } from '@mcp-oauth/shared/cli/list';
import { table } from '@mcp-oauth/shared/cli/table';
import { OBEYED, visibleJson } from '@mcp-oauth/shared/text/terminal-text';

type Fact = string | number | null;
type Row = Parameters<typeof showList>[1][number];

interface Belonging {
  /** The name of the list in JSON. */
  readonly list: string;
  readonly rows: readonly Row[];
  /** The sentence for an empty list. */
  readonly none: string;
}

interface Shown {
  readonly facts: Readonly<Record<string, Fact>>;
  readonly lists: readonly Belonging[];
}

/** Values may come from other people: control characters are replaced. */
export function showFacts(invocation: Invocation, { facts, lists }: Shown): void {
  const { options, stdout } = invocation;
  if (options.json) {
    const all = Object.fromEntries(lists.map(({ list, rows }) => [list, rows]));
    stdout.write(`${visibleJson(JSON.stringify({ ...facts, ...all }, null, 2))}\n`);
    return;
  }
  const lines = Object.entries(facts).map(([name, fact]) => [
    name.replace(/[A-Z]/g, ' $&').toLowerCase(),
    fact === null ? '-' : String(fact).replace(OBEYED, '?'),
  ]);
  stdout.write(`${table(lines)}\n`);
  for (const { rows, none } of lists) {
    stdout.write('\n');
    showList(invocation, rows, none);
  }
}
