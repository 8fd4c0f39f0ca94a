/** Owns the start of the process: the server, or a command. What the other one needs is not loaded. */
import process from 'node:process';
import { runCommand, runService } from '@mcp-oauth/shared/service';

const serve = () =>
  runService('mcp-server', process, async (env) => {
    const { compose } = await import('./compose/compose.ts');
    return compose(env);
  });

await runCommand('mcp-server', process, async (terminal) => {
  if (terminal.arguments.length === 0) {
    await serve();
    return undefined;
  }
  const { createCommands } = await import('./cli/commands.ts');
  const { runCommandLine } = await import('@mcp-oauth/shared/cli/command-line');
  return runCommandLine(createCommands(serve), terminal);
});
