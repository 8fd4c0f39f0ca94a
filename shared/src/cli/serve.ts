/** Owns `serve`: the service itself, which is what runs when no command is named. */
import type { Command } from './command.ts';

/** @param run resolves when the service is up; it lives on */
export const serveCommand = (run: () => Promise<void>): Command => ({
  name: 'serve',
  summary: 'Run the server.',
  run: async () => {
    await run();
    return undefined;
  },
});
