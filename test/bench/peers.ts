/**
 * Owns `npm run bench:peers`: a tool call in a session, through servers that people would pick instead, each with its own
 * check of the token, beside mcp-server. They are no dependencies: npm ci --prefix test/bench/peers installs them.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { callInSession, ECHO, meet } from './mcp-parties.ts';
import { type Contestant, listenerOf, startPeer, startProduct, startReference } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { openSessions } from './sessions.ts';
import { keep, print, printHead } from './table/report.ts';
import { alternate, type Entrant } from './table/row.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1.2' },
    save: { type: 'boolean', default: false },
  },
});

const PEERS = ['fastmcp', 'mcp-framework', 'mcp-auth'] as const;
const FOLDER = fileURLToPath(new URL('./peers', import.meta.url));
if (!existsSync(`${FOLDER}/node_modules`)) throw new Error('first: npm ci --ignore-scripts --prefix test/bench/peers');

leaveServerAlone();
await using parties = await meet();
await using started = new AsyncDisposableStack();
const { issuer, referring } = parties;
const enter = (server: Contestant): Entrant => ({
  name: server.name,
  servers: [listenerOf(started.use(server))],
  begin: async () =>
    (await openSessions(server.port, referring)).map(({ id, token }) => callInSession(token, id, ECHO)),
  expected: 'Echo: Hello',
});
const entrants = [enter(await startProduct(issuer, { logs: true })), enter(await startReference('v1', issuer))];
for (const name of PEERS) entrants.push(enter(await startPeer(name, `${FOLDER}/${name}.mjs`, issuer)));
const servers = await alternate(entrants, { rounds: Number(values.rounds), seconds: Number(values.seconds) });
printHead(['server'], ['requests/s', 'CPU µs', 'CPU ÷ that of mcp-server', 'p50 ms', 'p99 ms', 'RSS MiB']);
for (const { name, perSecond, cpu, p50, p99, rss } of servers) {
  const times = (cpu / (servers[0]?.cpu ?? Number.NaN)).toFixed(1);
  print(name, perSecond.toFixed(0), cpu.toFixed(1), times, p50.toFixed(2), p99.toFixed(2), rss.toFixed(0));
}
if (values.save) keep('peers', { ...values, servers });
