/** Owns `explain-token` in a test: the command beside a running server with the same settings, at the same time. */
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { expect } from 'vitest';
import { explainTokenCommand } from '../../src/cli/explain-token/command.ts';
import type { ForeignServer } from './foreign.ts';

export interface Told {
  readonly status: number | undefined;
  readonly accepted: boolean;
  readonly resource: string;
  readonly turn: readonly string[];
  readonly token?: Readonly<Record<string, unknown>>;
  readonly checks: readonly Readonly<Record<string, string>>[];
}

export const checkOf = ({ checks }: Told, name: string) => checks.find(({ check }) => check === name);

export const refusedIn = ({ checks }: Told) => checks.filter(({ result }) => result === 'refused');

/** Runs the command, which must never show the token or its signature. */
export async function explain(
  server: Pick<ForeignServer, 'url' | 'clock'>,
  settings: Environment,
  { token, words = [] }: { readonly token: string | Uint8Array; readonly words?: readonly string[] },
) {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const stdin = async function* () {
    yield Buffer.from(token);
  };
  const commands = [explainTokenCommand({ clock: server.clock, stdin })];
  const status = await runCommandLine(
    { name: 'mcp-server', summary: '', commands },
    {
      arguments: ['explain-token', ...words],
      env: { PUBLIC_URL: server.url, NODE_ENV: 'test', ...settings },
      stdout: output('stdout'),
      stderr: output('stderr'),
    },
  );
  for (const part of String(token).trim().split('.')) {
    if (part.length > 20) expect(written.stdout + written.stderr).not.toContain(part);
  }
  return { status, ...written };
}

/** The same with `--json`. */
export async function tell(
  server: Pick<ForeignServer, 'url' | 'clock'>,
  settings: Environment,
  token: string | Uint8Array,
  words: readonly string[] = [],
): Promise<Told> {
  const { status, stdout, stderr } = await explain(server, settings, { token, words: ['--json', ...words] });
  expect(stderr).toBe('');
  return { status, ...JSON.parse(stdout) };
}
