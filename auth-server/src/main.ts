/** Owns the start of the process: the server, or a command. */
import process from 'node:process';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { runCommand, runService } from '@mcp-oauth/shared/service';
import { createCommands } from './cli/commands.ts';
import { compose } from './compose/compose.ts';
import { discoverKinds } from './federation/registry.ts';

await runCommand('auth-server', process, async (terminal) => {
  const kinds = await discoverKinds(new URL('./connectors/', import.meta.url));
  const commands = createCommands(() => runService('auth-server', process, compose), kinds);
  return runCommandLine(commands, terminal);
});
