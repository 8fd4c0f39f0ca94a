/**
 * Owns `npm run bench:token`: the cost of auth-server compared with the engine below it, bare oidc-provider, in the
 * same run. client_credentials, code and refresh on 50 connections, and the public documents by processor time.
 */
import { parseArgs } from 'node:util';
import { type Call, CONNECTIONS, type Conversation, type Cost, load, type Reply, read } from './load.ts';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, VERIFIER } from './parties.ts';
import { leaveServerAlone } from './program.ts';
import { type Server, startBare, startOurs } from './servers.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, requests: { type: 'string', default: '5000' } },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);

type Work = (server: Server) => Promise<(connection: number) => Conversation>;

/** Repeats the same call so many times. */
const repeat =
  (call: Call, total = REQUESTS): Work =>
  async () =>
  () => {
    let left = total / CONNECTIONS;
    return () => (left-- > 0 ? call : undefined);
  };

const token = (fields: Record<string, string>, headers?: Record<string, string>): Call => ({
  path: '/token',
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  ...(headers && { headers }),
});
const redemption = (code: string): Call =>
  token({
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    code,
  });
const basic = { authorization: `Basic ${btoa(`${MACHINE_ID}:${MACHINE_SECRET}`)}` };

const WORK: Readonly<Record<string, Work>> = {
  client_credentials: repeat(token({ grant_type: 'client_credentials', scope: 'mcp:tools' }, basic)),
  authorization_code: async (server) => {
    const codes = await server.mint(REQUESTS);
    return () => () => {
      const code = codes.pop();
      return code === undefined ? undefined : redemption(code);
    };
  },
  refresh_token: async (server) => {
    const codes = await server.mint(CONNECTIONS);
    const first = await Promise.all(codes.map((code) => once(server, redemption(code))));
    return (connection) => {
      let left = REQUESTS / CONNECTIONS;
      return (last) => {
        const { refresh_token } = JSON.parse((last ?? first[connection])?.text ?? '{}');
        return left-- > 0 ? token({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token }) : undefined;
      };
    };
  },
};

const DOCUMENTS: Readonly<Record<string, string>> = {
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/jwks',
};

async function once(server: Server, { path, method = 'GET', body }: Call): Promise<Reply> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, ...(body && { body }) });
  return { status: answer.status, text: await answer.text() };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const print = (...cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

/** Measures all servers within each round, so that other load on the machine affects all of them. */
async function measure(servers: readonly Server[], run: (server: Server) => Promise<Cost>) {
  const costs = new Map<Server, Cost[]>(servers.map((server) => [server, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const server of servers) {
      const cost = await run(server);
      // The first round warms up the compiler.
      if (round > 0) costs.get(server)?.push(cost);
    }
  }
  return costs;
}

leaveServerAlone();
await using started = new AsyncDisposableStack();
const servers: readonly Server[] = [
  started.use(await startBare()),
  started.use(await startOurs('Redis')),
  started.use(await startOurs('Redis', 'warn')),
  started.use(await startOurs('SQLite')),
];
print('work', 'server', 'requests/s', 'of bare', 'CPU µs', 'bare CPU ÷ own');
print('---', '---', '---:', '---:', '---:', '---:');
for (const [name, work] of Object.entries(WORK)) {
  await report(name, async (server) => load(server.port, server.pid, await work(server)));
}
for (const [name, path] of Object.entries(DOCUMENTS)) {
  await report(name, (server) => read(server.port, server.pid, path, 4 * REQUESTS));
}

async function report(name: string, run: (server: Server) => Promise<Cost>): Promise<void> {
  const costs = await measure(servers, run);
  const of = (server: Server | undefined, figure: 'perSecond' | 'cpu') =>
    median((server && costs.get(server))?.map((cost) => cost[figure]) ?? []);
  for (const server of servers) {
    const speed = of(server, 'perSecond') / of(servers[0], 'perSecond');
    const cpu = of(servers[0], 'cpu') / of(server, 'cpu');
    const own = [of(server, 'perSecond').toFixed(0), speed.toFixed(2), of(server, 'cpu').toFixed(0), cpu.toFixed(2)];
    print(name, server.name, ...own);
  }
}
