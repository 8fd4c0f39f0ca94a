/** Owns `flows`: the steps of one sign-in, found by the reference that a person saw on an error page. */
import { type Command, type CommandGroup, UsageError } from '../../cli/command.ts';
import { json, showList } from '../../cli/list.ts';
import { type Doubtful, detailsOf, entriesOf, type WrittenEntry } from '../reading/entries.ts';
import type { OpenedTrail, WithTrail } from '../reading/opened.ts';
import { warn } from './audit-commands.ts';

export const flowCommands = (withTrail: WithTrail): CommandGroup => ({
  name: 'flows',
  summary: 'Sign-ins step by step, from the audit.',
  commands: [show(withTrail)],
});

const show = (withTrail: WithTrail): Command => ({
  name: 'show',
  summary: 'Show the steps of the sign-in to which a reference belongs, with times and reasons.',
  details:
    'The reference is on the error page, in the header X-Request-Id and in the log. Reads where AUDIT says, or the files that --file names.',
  parameters: ['reference'],
  options: { file: { type: 'string', multiple: true, value: 'file', doc: 'A file with entries, or several.' }, json },
  run: (invocation) =>
    withTrail(invocation.env, async (trail) => {
      const { reference = '' } = invocation.parameters;
      const files = Array.isArray(invocation.options.file) ? invocation.options.file.map(String) : [];
      const doubtful = { count: 0 };
      const steps = await stepsOf(reference, files, trail, doubtful);
      showList(invocation, steps.map(rowOf(steps[0]?.at ?? '')), NONE);
      warn(invocation, doubtful);
      return steps.length > 0 ? 0 : 1;
    }),
});

const NONE = 'There is no entry with this reference: it may be of another server, or older than what is kept.';

/** A code exchange is no request of the browser: its grant connects it with the approval before. */
async function stepsOf(
  reference: string,
  files: readonly string[],
  { keys, lines }: OpenedTrail,
  doubtful: Doubtful,
): Promise<readonly WrittenEntry[]> {
  if (files.includes('-')) throw new UsageError('--file: standard input is read once, so name a file');
  const flows = new Set([reference]);
  const approvals = new Approvals();
  for await (const { entry } of entriesOf(lines(files), keys, { count: 0 })) {
    approvals.note(entry);
    if (entry.reference !== reference) continue;
    const flow = entry.flow ?? approvals.flowOf(entry);
    if (flow !== undefined) flows.add(flow);
  }
  const steps: WrittenEntry[] = [];
  const again = new Approvals();
  for await (const { entry } of entriesOf(lines(files), keys, doubtful)) {
    again.note(entry);
    const flow = entry.flow ?? again.flowOf(entry);
    if (entry.reference === reference || (flow !== undefined && flows.has(flow))) steps.push(entry);
  }
  return steps.sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}

/** Milliseconds that a code is good for, and a device asks for its tokens. */
const EXCHANGE = 15 * 60_000;

/** The latest approval of each grant. */
class Approvals {
  readonly #latest = new Map<string, { readonly at: number; readonly flow: string | undefined }>();

  note({ event, grant, at, flow }: WrittenEntry): void {
    if (event === 'authorization.granted' && grant) this.#latest.set(grant, { at: Date.parse(at), flow });
  }

  /** The sign-in that ends with this exchange of a code. */
  flowOf(entry: WrittenEntry): string | undefined {
    const approval = isExchange(entry) ? this.#latest.get(entry.grant ?? '') : undefined;
    return approval && Date.parse(entry.at) - approval.at < EXCHANGE ? approval.flow : undefined;
  }
}

const isExchange = ({ event, details }: WrittenEntry): boolean =>
  /^token\.(issued|refused|reused)$/.test(event) && details?.grantType !== 'refresh_token';

const rowOf =
  (start: string) =>
  (entry: WrittenEntry): Parameters<typeof showList>[1][number] => ({
    at: entry.at,
    after: `${((Date.parse(entry.at) - Date.parse(start)) / 1000).toFixed(1)} s`,
    step: entry.event,
    outcome: entry.outcome,
    reason: entry.reason ?? null,
    client: entry.client ?? null,
    who: entry.who ?? null,
    details: detailsOf(entry) ?? null,
    reference: entry.reference ?? null,
  });
