/**
 * Owns `npm run bench`: what mcp-server costs beside the servers of the SDKs and beside bare node:http, in one run that
 * alternates between them, on 50 connections; and the memory of an idle session. The goals are quotients of processor
 * time. `--save` keeps the figures in test/bench/results.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { memoryPerSession } from './idle-sessions.ts';
import { meet } from './mcp-parties.ts';
import { startProduct, startReference } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { keep, print, printHead } from './table/report.ts';
import { alternate, type Figures } from './table/row.ts';
import { ROWS } from './table/rows.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Seconds of load on one server in one round. */
    seconds: { type: 'string', default: '1.2' },
    /** Number of sessions whose memory is measured. */
    sessions: { type: 'string', default: '4000' },
    /** Runs only these rows, separated by commas: the keys of ROWS, and `idle`. */
    only: { type: 'string', default: [...Object.keys(ROWS), 'idle'].join(',') },
    save: { type: 'boolean', default: false },
  },
});

interface Result {
  readonly row: string;
  readonly against: string;
  /** Quotient of processor time, or KiB. */
  readonly figure: number;
  readonly atLeast: number;
  readonly aim: number;
  readonly reached: boolean;
  readonly servers: readonly Figures[];
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));

async function play(key: string): Promise<Result> {
  await using parties = await meet();
  await using started = new AsyncDisposableStack();
  const row = await ROWS[key]?.({ parties, folder, started });
  if (!row) throw new Error(`no row ${key}: ${Object.keys(ROWS).join(', ')}, idle`);
  const { name, own, reference, others, goal } = row;
  const pace = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  const servers = await alternate([reference, own, ...others], pace);
  const cpuOfReference = servers[0]?.cpu ?? Number.NaN;
  for (const { name: server, perSecond, cpu, p50, p99, rss } of servers) {
    const times = (cpuOfReference / cpu).toFixed(2);
    print(name, server, perSecond.toFixed(0), cpu.toFixed(1), times, p50.toFixed(2), p99.toFixed(2), rss.toFixed(0));
  }
  const figure = cpuOfReference / (servers[1]?.cpu ?? Number.NaN);
  return { row: name, against: reference.name, figure, ...goal, reached: figure >= goal.atLeast, servers };
}

/** In KiB for each session. */
const MEMORY = { atLeast: 18.5, aim: 16 };

async function weigh(): Promise<Result> {
  await using parties = await meet();
  await using started = new AsyncDisposableStack();
  const { issuer, tokens } = parties;
  const product = started.use(await startProduct(issuer, { probed: true }));
  const reference = started.use(await startReference('v1', issuer, { probed: true }));
  const count = Number(values.sessions);
  const theirs = await memoryPerSession(reference, tokens, count);
  const figure = await memoryPerSession(product, tokens, count);
  const row = `KiB of an idle session with a stream, of ${count}`;
  const against = `${reference.name}: ${theirs.toFixed(1)}`;
  return { row, against, figure, ...MEMORY, reached: figure <= MEMORY.atLeast, servers: [] };
}

leaveServerAlone();
const results: Result[] = [];
try {
  printHead(['work', 'server'], ['requests/s', 'CPU µs', 'reference CPU ÷ own', 'p50 ms', 'p99 ms', 'RSS MiB']);
  for (const key of values.only.split(',')) results.push(await (key === 'idle' ? weigh() : play(key)));
} finally {
  rmSync(folder, { recursive: true });
}
process.stdout.write('\n');
printHead(['work', 'against'], ['ratio', 'at least', 'aim', '']);
for (const { row, against, figure, atLeast, aim, reached } of results)
  print(row, against, figure.toFixed(2), atLeast, aim, reached ? 'reached' : 'MISSED');
if (values.save) keep('calls', { ...values, results });
process.exitCode = results.every(({ reached }) => reached) ? 0 : 1;
