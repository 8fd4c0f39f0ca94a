/** Owns the start of the process: the server, or a command. */
import process from 'node:process';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { runCommand, runService } from '@mcp-oauth/shared/service';
import { createCommands } from './cli/commands.ts';
import { compose } from './compose/compose.ts';

const commands = createCommands(() => runService('auth-server', process, compose));

await runCommand('auth-server', process, (terminal) => runCommandLine(commands, terminal));
