/** Owns `audit`: how an operator checks, reads and copies the audit of a service. */
import { type Command, type CommandGroup, type Invocation, UsageError } from '../../cli/command.ts';
import { json, showList } from '../../cli/list.ts';
import { systemClock } from '../../clock.ts';
import { visibleJson } from '../../text/terminal-text.ts';
import { EVENTS } from '../events.ts';
import { type Doubtful, entriesOf, rowOf, type WrittenEntry } from '../reading/entries.ts';
import type { OpenedTrail, WithTrail } from '../reading/opened.ts';
import { verifyCommand } from './verify-command.ts';

export const auditCommands = (withTrail: WithTrail): CommandGroup => ({
  name: 'audit',
  summary: 'Who did what (docs/audit.md): the entries that AUDIT writes.',
  commands: [verifyCommand(withTrail), show(withTrail), exportCommand(withTrail)],
});

const several = { type: 'string', multiple: true } as const;

const show = (withTrail: WithTrail): Command => ({
  name: 'show',
  summary: 'Show entries, oldest first; with several options those that fit all.',
  details:
    'Reads where AUDIT says, or the named files; `-` is standard input. --person takes the `sub` of tokens, or an address of which there was a sign-in.',
  rest: 'file',
  options: {
    person: { ...several, value: 'sub', doc: 'Only of this person, or by this person as operator.' },
    client: { ...several, value: 'client_id', doc: 'Only of this client.' },
    event: { ...several, value: 'name', doc: 'Only this event, such as tool.called.' },
    reference: { ...several, value: 'id', doc: 'Only of this request.' },
    since: { type: 'string', value: 'time', doc: 'Only later ones: 2h, 7d, or 2026-12-24T18:00:00Z.' },
    json,
  },
  run: (invocation) =>
    withTrail(invocation.env, async (trail) => {
      const doubtful = { count: 0 };
      const { fits } = await selection(invocation, trail);
      const found = await latest(invocation, trail, fits, doubtful);
      if (invocation.options.json) {
        for (const { text } of found) invocation.stdout.write(`${visibleJson(text)}\n`);
      } else
        showList(
          invocation,
          found.map(({ entry }) => rowOf(entry)),
          'There are no such entries.',
        );
      warn(invocation, doubtful);
      return 0;
    }),
});

/** Rows of a table that a person can still read. */
const MOST = 10_000;

async function latest(
  { rest, stderr }: Invocation,
  { keys, lines }: OpenedTrail,
  fits: (entry: WrittenEntry) => boolean,
  doubtful: Doubtful,
) {
  let found: { readonly entry: WrittenEntry; readonly text: string }[] = [];
  let left = 0;
  for await (const reading of entriesOf(lines(rest), keys, doubtful)) {
    if (!fits(reading.entry)) continue;
    found.push(reading);
    if (found.length < 2 * MOST) continue;
    found = found.slice(-MOST);
    left += MOST;
  }
  const shown = found.slice(-MOST);
  left += found.length - shown.length;
  if (left > 0) stderr.write(`${left} older entries are not shown: use --since, or audit export.\n`);
  return shown;
}

export const warn = ({ stderr }: Pick<Invocation, 'stderr'>, { count }: Doubtful): void => {
  if (count > 0) stderr.write(`${count} entries do not fit AUDIT_KEY: audit verify says which.\n`);
};

async function selection({ options, rest }: Invocation, trail: OpenedTrail) {
  const { person, client, event, reference, since } = options;
  for (const name of listed(event) ?? []) {
    if (!Object.hasOwn(EVENTS, name)) throw new UsageError(`--event: ${JSON.stringify(name)} is no event`);
  }
  const from = typeof since === 'string' ? timeOfOption(since) : undefined;
  const people = await subjectsOf(listed(person), rest, trail);
  return {
    fits: (entry: WrittenEntry): boolean =>
      (isAmong(people, entry.who) || isAmong(people, actorOf(entry))) &&
      isAmong(listed(client), entry.client) &&
      isAmong(listed(event), entry.event) &&
      isAmong(listed(reference), entry.reference) &&
      (from === undefined || entry.at >= from),
  };
}

const listed = (option: Invocation['options'][string]): readonly string[] | undefined =>
  Array.isArray(option) ? option.map(String) : undefined;

const isAmong = (wanted: readonly string[] | undefined, value: string | undefined): boolean =>
  wanted === undefined || (value !== undefined && wanted.includes(value));

/** Who ended what somebody else had: an operator. */
const actorOf = ({ details }: WrittenEntry): string | undefined =>
  typeof details?.actor === 'string' ? details.actor : undefined;

/** Entries have subjects; only those of sign-ins have an address too. */
async function subjectsOf(people: readonly string[] | undefined, files: readonly string[], trail: OpenedTrail) {
  const addresses = new Set(people?.filter((one) => one.includes('@')).map((one) => one.toLowerCase()));
  if (!people || addresses.size === 0) return people;
  if (files.includes('-')) throw new UsageError('--person: standard input is read once, so give the subject');
  const subjects = new Set(people);
  for await (const { entry } of entriesOf(trail.lines(files), trail.keys, { count: 0 })) {
    const email = entry.details?.email;
    if (entry.who !== undefined && typeof email === 'string' && addresses.has(email.toLowerCase()))
      subjects.add(entry.who);
  }
  return [...subjects];
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** @returns ISO 8601 in UTC, which sorts as text */
function timeOfOption(since: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(since) ?? [];
  const time = count === undefined ? Date.parse(since) : systemClock.now() - Number(count) * (UNITS[unit] ?? 0) * 1000;
  if (Number.isNaN(time)) throw new UsageError(`--since: ${JSON.stringify(since)} is neither 2h nor a time`);
  return new Date(time).toISOString();
}

const exportCommand = (withTrail: WithTrail): Command => ({
  name: 'export',
  summary: 'Write all entries to standard output as JSON lines, as they were written.',
  details: 'A copy can be verified like the original, also after the stream in Redis has dropped its oldest entries.',
  rest: 'file',
  run: ({ env, rest, stdout }) =>
    withTrail(env, async ({ lines }) => {
      for await (const { text } of lines(rest)) if (text.startsWith('{"event":"')) stdout.write(`${text}\n`);
      return 0;
    }),
});
