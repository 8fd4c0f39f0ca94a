/**
 * Owns `npm run bench`: the cost of mcp-server compared with the servers of the SDKs, in one run that alternates
 * between them. It measures tool calls with an access token on 50 connections in both eras, the opening of sessions,
 * and the memory of an idle session.
 */
import { parseArgs } from 'node:util';
import { memoryPerSession } from './idle-sessions.ts';
import { callInSession, callStateless, ECHO, initialize, meet } from './mcp-parties.ts';
import { type Contestant, startProduct, startRaw, startReference } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { openSessions } from './sessions.ts';
import { type Cost, press, until } from './wire.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Seconds of load on one server in one round. */
    seconds: { type: 'string', default: '1.5' },
    /** Number of sessions whose memory is measured. */
    sessions: { type: 'string', default: '4000' },
    /** Runs only the measurements with this text in their name. */
    only: { type: 'string', default: '' },
  },
});

/** For each connection, the requests that it repeats. */
type Work = (contestant: Contestant) => Promise<readonly (() => string)[]>;

interface Match {
  readonly name: string;
  readonly work: Work;
  readonly product: Contestant;
  readonly reference: Contestant;
  /** Further servers to compare with. */
  readonly others: readonly Contestant[];
  /** The minimum factor of processor time by which the reference must be slower. */
  readonly goal: number;
}

interface Result {
  readonly name: string;
  readonly figure: string;
  readonly reached: boolean;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const print = (...cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

async function round(contestant: Contestant, work: Work): Promise<Cost> {
  const requests = await work(contestant);
  const end = performance.now() + Number(values.seconds) * 1000;
  const speakers = requests.map((request) => until(end, request));
  return press({ port: contestant.port, pid: contestant.program.pid, speakers });
}

/** Measures all servers within each round, so that other load on the machine affects all of them. */
async function play({ name, work, product, reference, others, goal }: Match): Promise<Result> {
  const contestants = [reference, product, ...others];
  const costs = new Map<Contestant, Cost[]>(contestants.map((contestant) => [contestant, []]));
  for (let turn = 0; turn <= Number(values.rounds); turn += 1) {
    for (const contestant of contestants) {
      const cost = await round(contestant, work);
      // The first round warms up the compiler.
      if (turn > 0) costs.get(contestant)?.push(cost);
    }
  }
  const of = (contestant: Contestant, figure: 'perSecond' | 'cpu') =>
    median(costs.get(contestant)?.map((cost) => cost[figure]) ?? []);
  const times = (contestant: Contestant) => of(reference, 'cpu') / of(contestant, 'cpu');
  for (const contestant of contestants) {
    const [speed, cpu] = [of(contestant, 'perSecond'), of(contestant, 'cpu')];
    const ratios = [`${(speed / of(reference, 'perSecond')).toFixed(1)} ×`, `${times(contestant).toFixed(1)} ×`];
    print(name, contestant.name, speed.toFixed(0), ratios[0] ?? '', cpu.toFixed(1), ratios[1] ?? '');
  }
  return { name, figure: `${times(product).toFixed(1)} × (≥ ${goal})`, reached: times(product) >= goal };
}

leaveServerAlone();
await using parties = await meet();
const { issuer, tokens } = parties;

async function playAll(): Promise<Result[]> {
  await using started = new AsyncDisposableStack();
  const product = started.use(await startProduct(issuer));
  const logging = started.use(await startProduct(issuer, { logs: true }));
  const [v1, v2] = [started.use(await startReference('v1', issuer)), started.use(await startReference('v2', issuer))];
  const raw = started.use(await startRaw());
  const inSession: Work = async ({ port }) =>
    (await openSessions(port, tokens)).map(({ id, token }) => callInSession(token, id, ECHO));
  const stateless: Work = async () => tokens.map((token) => callStateless(token, ECHO));
  const opening: Work = async () => tokens.map((token) => () => initialize(token));
  const matches: readonly Match[] = [
    { name: 'tools/call 2025-11-25', work: inSession, product, reference: v1, others: [logging, raw], goal: 5 },
    { name: 'tools/call 2026-07-28', work: stateless, product, reference: v2, others: [logging, raw], goal: 5 },
    { name: 'initialize', work: opening, product, reference: v1, others: [], goal: 4 },
  ];
  print('work', 'server', 'requests/s', 'speed', 'CPU µs', 'reference CPU ÷ own');
  print('---', '---', '---:', '---:', '---:', '---:');
  const results: Result[] = [];
  for (const match of matches.filter(({ name }) => name.includes(values.only))) results.push(await play(match));
  return results;
}

/** In KiB. */
const MEMORY_GOAL = 30;

async function weigh(): Promise<Result[]> {
  const name = `memory of ${values.sessions} idle sessions with a stream`;
  if (!name.includes(values.only)) return [];
  await using started = new AsyncDisposableStack();
  const product = started.use(await startProduct(issuer, { probed: true }));
  const reference = started.use(await startReference('v1', issuer, { probed: true }));
  const count = Number(values.sessions);
  const theirs = await memoryPerSession(reference, tokens, count);
  const own = await memoryPerSession(product, tokens, count);
  const figure = `${own.toFixed(1)} KiB each (≤ ${MEMORY_GOAL}; ${reference.name}: ${theirs.toFixed(1)})`;
  return [{ name, figure, reached: own <= MEMORY_GOAL }];
}

const results = [...(await playAll()), ...(await weigh())];
process.stdout.write('\n');
for (const { name, figure, reached } of results) print(reached ? 'reached' : 'MISSED', name, figure);
process.exitCode = results.length > 0 && results.every(({ reached }) => reached) ? 0 : 1;
