/**
 * Owns `npm run bench:capacity -- <part>`: measures what work costs, how the costs grow, and several replicas beside
 * their prediction. `plan` prints what follows from measured.json, which `--save` writes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { leaveServerAlone } from '../program.ts';
import type { Costs } from './costs.ts';
import { unpin } from './fleet.ts';
import { growWithKeys, growWithSessions, growWithStreams, growWithTokens, growWithTools, type Row } from './growth.ts';
import { measureAuth } from './measure-auth.ts';
import { countCommands, measureCalls, measureRecords, measureSessions } from './measure-mcp.ts';
import type { Cost } from './meter.ts';
import { planRows } from './print-plan.ts';
import { type Comparison, compare } from './replicas.ts';

const FILE = new URL('./measured.json', import.meta.url);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    /** Puts what was measured into measured.json. */
    save: { type: 'boolean', default: false },
    /** Numbers of sessions, streams, tools, tokens, keys or replicas, in ascending order. */
    counts: { type: 'string', default: '' },
  },
});

const print = (rows: readonly Row[]): void => {
  for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
};

const readCosts = (): Costs => JSON.parse(readFileSync(FILE, 'utf8'));

function keep(part: Partial<Costs>): void {
  if (values.save) writeFileSync(FILE, `${JSON.stringify({ ...readCosts(), ...part }, undefined, 2)}\n`);
}

/** Figures with three digits, which is more than they are exact. */
const short = (number: number): number => Number(number.toPrecision(3));
const unit = ({ service, redis }: Cost) => ({ service: short(service), redis: short(Math.max(0, redis)) });
const units = (costs: Readonly<Record<string, Cost>>) =>
  Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, unit(cost)]));

const costRows = (costs: Readonly<Record<string, Cost>>): Row[] => [
  ['work', 'service µs', 'Redis µs', 'commands, with those in scripts', 'bytes left'],
  ['---', '---:', '---:', '---:', '---:'],
  ...Object.entries(costs).map(([name, { service, redis, commands, bytes }]) => [
    ...[name, service.toFixed(1), redis.toFixed(1), commands.toFixed(1), bytes.toFixed(0)],
  ]),
];

const commandRows = (sent: Readonly<Record<string, readonly string[]>>): Row[] =>
  Object.entries(sent).map(([name, commands]) => [name, `${commands.length} commands`, commands.join(' ')]);

async function signIns(): Promise<void> {
  const { costs, commands, afterSignIns, afterRefreshes, signIns: count, refreshes } = await measureAuth();
  print([...costRows(costs), ...commandRows(commands)]);
  print(afterRefreshes.map(({ kind, keys, bytesEach }) => [kind, keys, bytesEach]));
  print([[`after ${count} sign-ins and ${refreshes} refreshes`]]);
  const ofPerson = afterSignIns.filter(({ kind }) => kind === 'Account' || kind === 'UpstreamSession');
  keep({
    ...units({ signIn: costs.signIn as Cost, refresh: costs.refresh as Cost }),
    // One person signed in again and again, so the records of a person are not in what each sign-in left.
    approvalBytes: short((costs.signIn?.bytes ?? 0) + ofPerson.reduce((sum, { bytesEach }) => sum + bytesEach, 0)),
    refreshTokenBytes: short(costs.refresh?.bytes ?? 0),
  });
}

async function sessions(): Promise<void> {
  const { costs, kept } = await measureSessions();
  print([...costRows(costs), ...Object.entries(kept).map(([name, value]) => [name, value.toFixed(1)])]);
  keep({
    ...units(costs),
    replicaMiB: short(kept.base),
    sessionKiB: short(kept.session),
    streamKiB: short(kept.stream),
    sessionBytes: short(kept.sessionBytes + kept.streamBytes),
  });
}

const comparisonRows = (comparisons: readonly Comparison[]): Row[] => [
  ['replicas', 'gateway', 'calls/s', 'predicted', 'difference', 'p50 ms', 'predicted', 'p99 ms', 'predicted', 'CPU µs'],
  ['---:', '---', '---:', '---:', '---:', '---:', '---:', '---:', '---:', '---'],
  ...comparisons.map(({ replicas, isBehindGateway, measured: is, predicted }) => [
    ...[replicas, isBehindGateway ? 'yes' : 'no', is.perSecond.toFixed(0), predicted.perSecond.toFixed(0)],
    `${((is.perSecond / predicted.perSecond - 1) * 100).toFixed(0)} %`,
    ...[is.p50.toFixed(2), predicted.p50.toFixed(2), is.p99.toFixed(2), predicted.p99.toFixed(2)],
    `client ${is.client.toFixed(0)}, gateway ${is.gateway.toFixed(0)}, replica ${is.replica.toFixed(0)}`,
  ]),
];

async function replicas(counts: readonly number[]): Promise<void> {
  unpin(process.pid);
  const behind = await compare(counts, true);
  print(comparisonRows([...(await compare(counts, false)), ...behind]));
  if (behind[0]) keep({ gateway: short(behind[0].measured.gateway) });
}

const growing =
  (grow: (counts: readonly number[]) => Promise<Row[]>, usual: readonly number[]) =>
  async (counts: readonly number[]): Promise<void> =>
    print(await grow(counts.length > 0 ? counts : usual));

const PARTS: Readonly<Record<string, (counts: readonly number[]) => Promise<void>>> = {
  calls: async () => {
    const costs = await measureCalls();
    print([...costRows(costs), ...commandRows(await countCommands())]);
    keep(units(costs));
  },
  records: async () => {
    const costs = await measureRecords();
    print(costRows(costs));
    keep(units(costs));
  },
  sessions,
  'sign-ins': signIns,
  replicas: (counts) => replicas(counts.length > 0 ? counts : [1, 2, 3, 4]),
  'growing-sessions': growing(growWithSessions, [1_000, 10_000, 20_000, 40_000, 50_000]),
  'growing-streams': growing(growWithStreams, [1_000, 5_000, 10_000]),
  'growing-tools': growing(growWithTools, [3, 50, 200, 500]),
  'growing-tokens': growing(growWithTokens, [100, 1_000, 9_000, 20_000]),
  'growing-keys': growing(growWithKeys, [1_000, 10_000, 100_000, 1_000_000]),
  plan: async () => print(planRows(readCosts())),
};

const [name = 'plan'] = positionals;
const part = PARTS[name];
if (!part) throw new Error(`no part ${name}: ${Object.keys(PARTS).join(', ')}`);
leaveServerAlone();
await part(values.counts.split(',').filter(Boolean).map(Number));
