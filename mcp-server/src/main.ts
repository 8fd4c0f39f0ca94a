/** Owns the start of the process: the server, or a command. */
import process from 'node:process';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { runCommand, runService } from '@mcp-oauth/shared/service';
import { createCommands } from './cli/commands.ts';
import { compose } from './compose/compose.ts';

const commands = createCommands(() => runService('mcp-server', process, compose));

await runCommand('mcp-server', process, (terminal) => runCommandLine(commands, terminal));
