/** Owns `serve`: the service itself, which runs if no command is named. */
import type { Command } from './command.ts';

/** @param run resolves when the service is ready; the service keeps running */
export const serveCommand = (run: () => Promise<void>): Command => ({
  name: 'serve',
  summary: 'Run the server.',
  run: async () => {
    await run();
    return undefined;
  },
});
