/** Owns what a session costs that does nothing but keep its stream open: how much the process grows with each. */
import type { Contestant } from './mcp-servers.ts';
import { openSessions, openStreams } from './sessions.ts';

/**
 * Open before the first measurement, and until the end: code is compiled, the young generation is as large as it gets, and
 * nothing has been freed that sessions after them could move into.
 */
const BEFORE = 2000;

/** @returns KiB of resident memory a session */
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
