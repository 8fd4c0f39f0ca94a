/** Owns the measurement of idle sessions: how much memory of the process each session with an open stream costs. */
import type { Contestant } from './mcp-servers.ts';
import { openSessions, openStreams } from './sessions.ts';

/**
 * Sessions that are open before the first measurement and until the end: code is compiled, the young generation has its
 * full size, and no freed memory is left that later sessions could use.
 */
const BEFORE = 2000;

/** @returns KiB of resident memory for each session */
export async function memoryPerSession(
  { port, program }: Contestant,
  tokens: readonly string[],
  count: number,
): Promise<number> {
  const open = async (total: number) => {
    const owners = Array.from({ length: total }, (_, n) => tokens[n % tokens.length] ?? '');
    return openStreams(port, await openSessions(port, owners));
  };
  const first = await open(BEFORE);
  const before = await program.memory();
  const more = await open(count);
  const after = await program.memory();
  for (const stream of [...first, ...more]) stream.leave();
  return (after.rss - before.rss) / count / 1024;
}
