/** Owns a terminal in a test: it runs a command line in this process and returns the output. */

import type { CommandGroup } from '../src/cli/command.ts';
import { runCommandLine } from '../src/cli/command-line.ts';
import type { Environment } from '../src/settings/config.ts';

export interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(commands: CommandGroup, line: string, env: Environment = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const status = await runCommandLine(commands, {
    arguments: line.split(' ').filter(Boolean),
    env,
    stdout: output('stdout'),
    stderr: output('stderr'),
  });
  return { status, ...written };
}
