/** Owns a run of the terminal client in a test: `npm run client` as a process, with its own folder for tokens. */
import { spawn } from 'node:child_process';
import { ROOT } from './stack.ts';

export interface TerminalRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TerminalOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Called with everything that was written to standard error so far. */
  readonly onError?: ((text: string) => void) | undefined;
}

/** @param args the URL of the MCP server, the command and its arguments */
export function runTerminalClient(args: readonly string[], { env, onError }: TerminalOptions): Promise<TerminalRun> {
  const child = spawn('npm', ['run', '-s', 'client', '--', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk;
    onError?.(said.stderr);
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...said })));
}
