/**
 * Owns `npm run bench:guard`: fails when a call or a token costs 15 % more processor time than in the recorded version.
 * Both versions run at once and take turns, so that neither the machine nor its other work counts. `--record` makes the
 * newest commit the recorded version; `--extra 15` makes this version spend so many percent more, to show that the guard
 * notices it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leaveServerAlone } from '../program.ts';
import { PAIRS, type Pair, type Versions } from './pairs.ts';
import { hasCommit, newestCommit, recordedTree } from './recorded-tree.ts';

const { values } = parseArgs({
  options: { record: { type: 'boolean', default: false }, extra: { type: 'string', default: '0' } },
});

const FILE = fileURLToPath(new URL('recorded.json', import.meta.url));

/** The most that a quotient may be: half of what must not pass; the other half is for noise. */
const LIMIT = 1.075;
/** Each with new processes: how the same code is compiled and placed in memory differs from process to process. */
const ATTEMPTS = 3;
const ROUNDS = 24;
const WARM_UP = 8;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** @returns the cost of this version, divided by that of the recorded one */
async function quotientOf({ now, recorded, requests }: Pair): Promise<number> {
  await recorded(WARM_UP * requests);
  await now(WARM_UP * requests);
  const quotients: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const cost = await recorded(requests);
    quotients.push((await now(requests)) / cost);
  }
  return median(quotients);
}

async function judge(name: string, open: (typeof PAIRS)[string], versions: Versions): Promise<void> {
  const quotients: number[] = [];
  while (quotients.length < ATTEMPTS && !quotients.some((quotient) => quotient <= LIMIT)) {
    await using started = new AsyncDisposableStack();
    quotients.push(await quotientOf(await open(started, versions)));
  }
  const isGood = quotients.some((quotient) => quotient <= LIMIT);
  const figures = quotients.map((quotient) => quotient.toFixed(3)).join(', ');
  say(`${isGood ? 'good' : 'TOO MUCH'}: ${name}: ${figures} times the recorded version, at most ${LIMIT}`);
  if (!isGood) process.exitCode = 1;
}

/** Source of a module that makes requests cost so many percent more than they do. */
const busy = (percent: number): string => `
import { subscribe } from 'node:diagnostics_channel';
const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
let requests = 0;
let since = spent();
subscribe('http.server.request.start', () => {
  requests += 1;
  if (requests % 16 > 0) return;
  const end = performance.now() + (spent() - since) * ${percent / 100};
  while (performance.now() < end);
  since = spent();
});`;

const { commit } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly commit: string };
if (values.record) {
  writeFileSync(FILE, `${JSON.stringify({ commit: newestCommit() }, null, 2)}\n`);
} else if (!hasCommit(commit)) {
  say(`not judged: this clone does not have the recorded version, ${commit}`);
} else {
  leaveServerAlone();
  const extra = Number(values.extra);
  const flags = extra > 0 ? ['--import', `data:text/javascript,${encodeURIComponent(busy(extra))}`] : [];
  using tree = recordedTree(commit);
  for (const [name, open] of Object.entries(PAIRS)) await judge(name, open, { root: tree.root, flags });
}
