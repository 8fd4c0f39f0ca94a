/** Owns what a session costs that does nothing but keep its stream open: the memory of the process, divided by their number. */
import type { Contestant } from './mcp-servers.ts';
import { endSessions, openSessions, openStreams } from './sessions.ts';

/** Sessions that come and go before the first measurement: code is compiled, pools have grown. */
const WARM_UP = 500;

/** @returns KiB of resident memory a session */
export async function memoryPerSession(
  { port, program }: Contestant,
  tokens: readonly string[],
  count: number,
): Promise<number> {
  const open = async (total: number) => {
    const owners = Array.from({ length: total }, (_, n) => tokens[n % tokens.length] ?? '');
    const sessions = await openSessions(port, owners);
    return { sessions, streams: await openStreams(port, sessions) };
  };
  const first = await open(WARM_UP);
  for (const stream of first.streams) stream.leave();
  await endSessions(port, first.sessions);
  const before = await program.memory();
  const { streams } = await open(count);
  const after = await program.memory();
  for (const stream of streams) stream.leave();
  return (after.rss - before.rss) / count / 1024;
}
