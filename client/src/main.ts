/** Owns the start of the process: the commands of the client. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { runCommand } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { whenOrphaned } from '@mcp-oauth/shared/start/orphan';
import manifest from '../package.json' with { type: 'json' };
import { doctorCommand } from './doctor/command.ts';
import { createAsk } from './doctor/network/ask.ts';
import { createConnections } from './doctor/network/connection.ts';
import { createListen } from './doctor/network/listen.ts';
import { proxyFrom, proxyValues } from './doctor/network/proxy.ts';
import { limitedFetch } from './limited-fetch.ts';
import { redirectConsole } from './sdk-console.ts';
import { openBrowser } from './sign-in/browser.ts';
import { readSecretIn } from './sign-in/client/secret.ts';
import { terminalCommands, withCommandFirst } from './terminal/commands.ts';

redirectConsole(console, process.stderr);

const now = () => systemClock.now();
const { version } = manifest;

const signInWith = (env: Environment) => ({
  fetch: limitedFetch(createOutgoingFetch(proxyValues(env))),
  openBrowser: (at: URL) => openBrowser(at, process.platform),
  now,
  secret: readSecretIn(env),
  wait: (milliseconds: number) => setTimeout<void>(milliseconds),
});

const readInput = (path: string) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8'));

const doctor = doctorCommand({
  now,
  network: (env, timeout) => {
    const proxyFor = proxyFrom(env);
    const options = { now, timeout, proxyFor };
    return { ask: createAsk(options), listen: createListen(options), ...createConnections(options) };
  },
  readFile: readInput,
  signIn: async (env, url, options) => {
    // Loaded only here, because it is most of the time that a run without a sign-in would take to start.
    const { signIn } = await import('./sign-in/sign-in.ts');
    return signIn(url, options, { ...signInWith(env), version });
  },
});

let lines: AsyncIterator<string> | undefined;
async function readLine(): Promise<string | undefined> {
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { done, value } = await lines.next();
  return done ? undefined : value;
}

const terminal = terminalCommands(async (task) => {
  const { perform } = await import('./terminal/perform.ts');
  return perform(task, {
    signIn: signInWith,
    home: homedir(),
    version,
    unique: randomUUID,
    isTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 0,
    isPresent: process.stdin.isTTY === true,
    readLine,
    readFile: readInput,
    interrupted: ({ npm_lifecycle_event: npm }) =>
      new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
        if (npm) whenOrphaned(process, resolve);
      }),
  });
});

const commands = { name: 'client', summary: 'A client for any MCP server.', commands: [...terminal, doctor] };

await runCommand('client', process, (given) =>
  runCommandLine(commands, {
    ...given,
    arguments: withCommandFirst(
      given.arguments,
      commands.commands.map(({ name }) => name),
    ),
  }),
);
