/** Owns the table of all commands of mcp-server. */
import type { CommandGroup } from '@mcp-oauth/shared/cli/command';
import { serveCommand } from '@mcp-oauth/shared/cli/serve';
import { explainTokenCommand } from './explain-token/command.ts';
import { sessionsCommands } from './sessions.ts';
import { withSessions } from './storage.ts';

/** @param serve runs the server until it is told to stop */
export const createCommands = (serve: () => Promise<void>): CommandGroup => ({
  name: 'mcp-server',
  summary: 'MCP server behind OAuth access tokens. Commands use the settings of the server.',
  default: 'serve',
  commands: [serveCommand(serve), sessionsCommands(withSessions), explainTokenCommand()],
});
