/** Owns `audit verify`: it says where a trail was forged, altered, reordered or cut, and how each chain begins and ends. */
import type { Command, Invocation } from '../../cli/command.ts';
import { json } from '../../cli/list.ts';
import { visible, visibleJson } from '../../text/terminal-text.ts';
import type { WithTrail } from '../reading/opened.ts';
import { type Line, linesOfFiles } from '../reading/source.ts';
import { type ChainReport, type Verdict, verify } from '../reading/verify.ts';

export const verifyCommand = (withTrail: WithTrail): Command => ({
  name: 'verify',
  summary: 'Check that no entry was forged, altered, removed, reordered or cut off.',
  details:
    'Reads where AUDIT says, or the named files; `-` is standard input. The log of the service names the head of each chain every minute: with --log a cut end is found. Exits with 1 if something is wrong.',
  rest: 'file',
  options: {
    log: { type: 'string', multiple: true, value: 'file', doc: 'A log of the service, which has the heads.' },
    json,
  },
  run: (invocation) =>
    withTrail(invocation.env, async ({ keys, lines }) => {
      const { rest, options } = invocation;
      const logs = Array.isArray(options.log) ? options.log.map(String) : [];
      const verdict = await verify(both(linesOfFiles(logs), lines(rest)), keys);
      if (options.json) invocation.stdout.write(`${visibleJson(JSON.stringify(verdict, null, 2))}\n`);
      else tell(invocation, verdict);
      return verdict.problems.length === 0 ? 0 : 1;
    }),
});

async function* both(first: AsyncIterable<Line>, second: AsyncIterable<Line>): AsyncGenerator<Line> {
  yield* first;
  yield* second;
}

function tell({ stdout }: Invocation, { problems, chains, entries, repeated }: Verdict): void {
  for (const { kind, writer, message } of problems) {
    stdout.write(`${kind.toUpperCase()}  ${visible(`${writer}: ${message}`)}\n`);
  }
  if (entries === 0 && problems.length > 0) stdout.write('No entry fits: AUDIT_KEY may be another one.\n');
  for (const chain of chains) stdout.write(`${inWords(chain)}\n`);
  const again = repeated > 0 ? `, ${repeated} of them twice` : '';
  stdout.write(`${entries} entries of ${chains.length} processes${again}: ${verdictOf(problems.length)}.\n`);
}

const verdictOf = (problems: number): string => (problems === 0 ? 'nothing is wrong' : `${problems} problems`);

function inWords({ writer, first, last, ended, headInLog }: ChainReport): string {
  const begin = first > 1 ? `; entries before ${first} are not here` : '';
  const end = ended ? 'ended in order' : 'not ended: it still runs or was killed, or its end was cut off';
  const head = ended || headInLog === undefined ? '' : `; the log confirms up to entry ${headInLog}`;
  return `${visible(writer)}: entries ${first} to ${last}${begin}; ${end}${head}`;
}
