/**
 * Owns `npm run bench:guard`: fails when a change makes a call or a token cost 15 % more processor time. It compares our
 * server and what stands below it in one run, and that quotient with the recorded one, so that the speed of the machine
 * does not count. `--record` keeps the quotients of this machine; `--extra 15` adds so many percent of work to each
 * request, to show that the guard notices it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leaveServerAlone } from '../program.ts';
import { callPair, type Pair, tokenPair } from './pairs.ts';

const { values } = parseArgs({
  options: { record: { type: 'boolean', default: false }, extra: { type: 'string', default: '0' } },
});

interface Recorded {
  /** Own processor time divided by that of the reference. */
  readonly quotient: number;
  /** Microseconds of our own, for the size of the extra work. */
  readonly microseconds: number;
}

const FILE = fileURLToPath(new URL('recorded.json', import.meta.url));
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recorded>;

/** What a quotient may exceed the recorded one by: half of what must not pass; the other half is for noise. */
const MARGIN = 1.075;
const [FEWEST, MOST] = [9, 30];
const WARM_UP = 6;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

/** Whatever else runs on the machine only makes a round dearer, so a low one tells the cost of the code. */
const low = (costs: readonly number[]): number =>
  costs.toSorted((a, b) => a - b)[Math.floor(costs.length / 5)] ?? Number.NaN;

/** Alternates between the two, until the quotient is within the limit or nothing more can be expected. */
async function measure({ own, reference, requests }: Pair, limit: number): Promise<Recorded> {
  await reference(WARM_UP * requests);
  await own(WARM_UP * requests);
  const costs = { own: [] as number[], reference: [] as number[] };
  const found = (): Recorded => ({ quotient: low(costs.own) / low(costs.reference), microseconds: low(costs.own) });
  for (let round = 1; round <= MOST; round += 1) {
    costs.reference.push(await reference(requests));
    costs.own.push(await own(requests));
    if (round >= FEWEST && found().quotient <= limit) break;
  }
  return found();
}

type Open = (started: AsyncDisposableStack, flags: readonly string[]) => Promise<Pair>;

const PAIRS: Readonly<Record<string, Open>> = {
  'tools/call beside node:http': callPair,
  'client_credentials beside the engine': tokenPair('client_credentials', 1_500),
};

async function judge(name: string, open: Open): Promise<Recorded> {
  await using started = new AsyncDisposableStack();
  const { quotient = 0, microseconds = 0 } = recorded[name] ?? {};
  const extra = (microseconds * Number(values.extra)) / 100;
  const flags = extra > 0 ? ['--import', `data:text/javascript,${encodeURIComponent(busy(extra))}`] : [];
  const limit = values.record ? 0 : quotient * MARGIN;
  const found = await measure(await open(started, flags), limit);
  const isGood = values.record || found.quotient <= limit;
  const times = `${found.quotient.toFixed(3)} times, ${found.microseconds.toFixed(1)} µs`;
  say(`${isGood ? 'good' : 'TOO MUCH'}: ${name}: ${times}; recorded: ${quotient}, at most ${limit.toFixed(3)}`);
  if (!isGood) process.exitCode = 1;
  return found;
}

/** Source of a module that keeps the processor busy at the start of each request. */
const busy = (microseconds: number): string => `
import { subscribe } from 'node:diagnostics_channel';
subscribe('http.server.request.start', () => {
  const end = performance.now() + ${microseconds / 1000};
  while (performance.now() < end);
});`;

leaveServerAlone();
const found: Record<string, Recorded> = {};
for (const [name, open] of Object.entries(PAIRS)) found[name] = await judge(name, open);
const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
if (values.record) writeFileSync(FILE, `${JSON.stringify(found, rounded, 2)}\n`);
