/**
 * Owns `npm run bench:levels`: how long a tool call takes at 10, 50 and 90 % of the rate that mcp-server reaches on 50
 * connections, at a fixed rate. `--save` keeps the figures in test/bench/results.
 */
import { parseArgs } from 'node:util';
import { callInSession, callStateless, ECHO, meet } from './mcp-parties.ts';
import { listenerOf, startProduct } from './mcp-servers.ts';
import { leaveServerAlone } from './program.ts';
import { openSessions } from './sessions.ts';
import { atRate } from './table/open-loop.ts';
import { keep, print, printHead } from './table/report.ts';
import { press, type Speaker, until } from './wire.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, save: { type: 'boolean', default: false } },
});
const SHARES = [0.1, 0.5, 0.9];

leaveServerAlone();
await using parties = await meet();
await using started = new AsyncDisposableStack();
const { issuer, referring } = parties;
const server = started.use(await startProduct(issuer, { logs: true, requiredClaims: 'client_id=bench' }));
const seconds = Number(values.seconds);

const WORK: Readonly<Record<string, () => Promise<readonly Speaker[]>>> = {
  'tools/call 2025-11-25': async () =>
    (await openSessions(server.port, referring)).map(({ id, token }) => callInSession(token, id, ECHO)),
  'tools/call 2026-07-28': async () => referring.map((token) => callStateless(token, ECHO)),
};

async function highestRate(speakers: readonly Speaker[]): Promise<number> {
  const pressed = async () => {
    const end = performance.now() + seconds * 500;
    return press({ servers: [listenerOf(server)], speakers: speakers.map((speaker) => until(end, speaker)) });
  };
  // The first run warms up the compiler.
  await pressed();
  return (await pressed()).perSecond;
}

const results: object[] = [];
printHead(['work'], ['load', 'requests/s', 'p50 ms', 'p99 ms']);
for (const [work, begin] of Object.entries(WORK)) {
  const speakers = await begin();
  const highest = await highestRate(speakers);
  for (const share of SHARES) {
    const { rate, p50, p99 } = await atRate(server.port, speakers, { rate: highest * share, seconds });
    print(work, `${share * 100} %`, rate.toFixed(0), p50.toFixed(2), p99.toFixed(2));
    results.push({ work, share, rate, p50, p99 });
  }
}
if (values.save) keep('levels', { ...values, results });
