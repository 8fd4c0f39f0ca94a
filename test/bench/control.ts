/**
 * Owns `npm run bench:control`: the processor time of a tools/call with the audit to a file, and with the status list, the audit and a
 * rule for claims together, beside the same server with none of them, in alternation, with the confidence interval of each difference.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callStateless, ECHO, meet } from './mcp-parties.ts';
import { type Contestant, listenerOf, startProduct } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { press, until } from './wire.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, seconds: { type: 'string', default: '1.5' } },
});

interface Entrant {
  readonly server: Contestant;
  readonly tokens: readonly string[];
  /** Microseconds of each round after the first. */
  readonly costs: number[];
  calls: number;
}

/** Student's t for 95 %, by degrees of freedom from 1; of more than nine the last one is an upper bound. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** Of pairs, because what else runs on the machine affects both members of a round. */
function difference(on: Entrant, off: Entrant): string {
  const each = on.costs.map((cost, round) => cost - (off.costs[round] ?? Number.NaN));
  const [middle, freedom] = [mean(each), each.length - 1];
  const variance = each.reduce((sum, one) => sum + (one - middle) ** 2, 0) / freedom;
  const t = STUDENT[Math.min(freedom, STUDENT.length) - 1] ?? Number.NaN;
  return `${middle.toFixed(1)} µs ± ${(t * Math.sqrt(variance / each.length)).toFixed(1)} µs (95 %, ${each.length} pairs)`;
}

async function measure(entrant: Entrant, isWarmUp: boolean): Promise<void> {
  const { server, tokens } = entrant;
  const end = performance.now() + Number(values.seconds) * 1000;
  const speakers = tokens.map((token) => until(end, callStateless(token, ECHO)));
  const { cpu, requests } = await press({ servers: [listenerOf(server)], speakers });
  entrant.calls += requests;
  if (!isWarmUp) entrant.costs.push(cpu);
}

async function play(folder: string): Promise<void> {
  await using parties = await meet();
  await using started = new AsyncDisposableStack();
  const { issuer, tokens, referring, list } = parties;
  const enter = async (tokens: readonly string[], choice: Parameters<typeof startProduct>[1]): Promise<Entrant> => {
    const server = started.use(await startProduct(issuer, choice));
    return { server, tokens, costs: [], calls: 0 };
  };
  const file = join(folder, 'audit.jsonl');
  const off = await enter(tokens, { statusLists: false });
  const audited = await enter(tokens, { statusLists: false, audit: file });
  const controlled = await enter(referring, { audit: join(folder, 'all.jsonl'), requiredClaims: 'client_id=bench' });
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const entrants = [off, audited, controlled];
    // The first round warms up the compiler.
    for (const entrant of round % 2 === 0 ? entrants : entrants.toReversed()) await measure(entrant, round === 0);
  }
  if (list.answers.length === 0) throw new Error('the status list was not read');
  const print = (text: string) => process.stdout.write(`${text}\n`);
  print(`${audited.calls} audited calls, ${(statSync(file).size / audited.calls).toFixed(0)} bytes each`);
  print(`status list: ${list.answers.length} requests for ${controlled.calls} calls`);
  for (const [name, entrant] of Object.entries({ off, audit: audited, 'status list, audit, rule': controlled }))
    print(`CPU of a tools/call, ${name}: ${mean(entrant.costs).toFixed(1)} µs`);
  print(`the audit costs ${difference(audited, off)}`);
  print(`status list, audit and rule cost ${difference(controlled, off)}`);
}

leaveServerAlone();
const folder = mkdtempSync(join(tmpdir(), 'bench-control-'));
try {
  await play(folder);
} finally {
  rmSync(folder, { recursive: true });
}
