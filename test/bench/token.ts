/**
 * Owns `npm run bench:token`: the cost of auth-server compared with the engine below it, bare oidc-provider, in the
 * same run. client_credentials, code and refresh on 50 connections, and the public documents by processor time.
 * `--save` keeps the figures in test/bench/results.
 */
import { parseArgs } from 'node:util';
import { type Cost, load, read, type TimedCost } from './load.ts';
import { leaveServerAlone, residentMiB } from './program.ts';
import { type Server, startBare, startOurs } from './servers.ts';
import { keep, print, printHead } from './table/report.ts';
import { median } from './table/row.ts';
import { WORK } from './token-work.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '3000' },
    /** Measures only these, separated by commas: the grants, metadata and jwks. */
    only: { type: 'string', default: 'client_credentials,authorization_code,refresh_token,metadata,jwks' },
    save: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);

const DOCUMENTS: Readonly<Record<string, string>> = {
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/jwks',
};

type Measured = Cost & Partial<TimedCost>;

/** Measures all servers within each round, so that other load on the machine affects all of them. */
async function measure(servers: readonly Server[], run: (server: Server) => Promise<Measured>) {
  const costs = new Map<Server, Measured[]>(servers.map((server) => [server, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const cost = await run(server);
      // The first round warms up the compiler.
      if (round > 0) costs.get(server)?.push(cost);
    }
  }
  return costs;
}

/** Documents are read as bytes, without the time of each. */
const time = (ms: number): string => (Number.isNaN(ms) ? '–' : ms.toFixed(2));

const results: object[] = [];

async function report(work: string, servers: readonly Server[], run: (server: Server) => Promise<Measured>) {
  const costs = await measure(servers, run);
  const of = (server: Server | undefined, figure: 'perSecond' | 'cpu' | 'p50' | 'p99') =>
    median((server && costs.get(server))?.map((cost) => cost[figure] ?? Number.NaN) ?? []);
  for (const server of servers) {
    const [perSecond, cpu] = [of(server, 'perSecond'), of(server, 'cpu')];
    const [p50, p99, rss] = [of(server, 'p50'), of(server, 'p99'), residentMiB(server.pid)];
    const [bySpeed, byCpu] = [perSecond / of(servers[0], 'perSecond'), of(servers[0], 'cpu') / cpu];
    const ratios = [bySpeed.toFixed(2), cpu.toFixed(0), byCpu.toFixed(2)];
    print(work, server.name, perSecond.toFixed(0), ...ratios, time(p50), time(p99), rss.toFixed(0));
    results.push({ work, name: server.name, perSecond, cpu, bySpeed, byCpu, p50, p99, rss });
  }
}

leaveServerAlone();
await using started = new AsyncDisposableStack();
const servers: readonly Server[] = [
  started.use(await startBare()),
  started.use(await startOurs('Redis')),
  started.use(await startOurs('Redis', { audit: true })),
  started.use(await startOurs('SQLite')),
];
printHead(['work', 'server'], ['requests/s', 'of bare', 'CPU µs', 'bare CPU ÷ own', 'p50 ms', 'p99 ms', 'RSS MiB']);
const chosen = <T>(all: Readonly<Record<string, T>>) =>
  Object.entries(all).filter(([name]) => values.only.split(',').includes(name));
for (const [name, work] of chosen(WORK)) {
  await report(name, servers, async (server) => load(server.port, server.pid, await work(server, REQUESTS)));
}
for (const [name, path] of chosen(DOCUMENTS)) {
  await report(name, servers, (server) => read(server.port, server.pid, path, 4 * REQUESTS));
}
if (values.save) keep('tokens', { ...values, results });
