/** Owns the start of the process: the commands of the client. */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { runCommand } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../package.json' with { type: 'json' };
import { doctorCommand } from './doctor/command.ts';
import { createAsk } from './doctor/network/ask.ts';
import { createConnections } from './doctor/network/connection.ts';
import { proxyFrom, proxyValues } from './doctor/network/proxy.ts';
import { openBrowser } from './sign-in/browser.ts';

const now = () => systemClock.now();

const signInWith = (env: Environment) => ({
  fetch: createOutgoingFetch(proxyValues(env)),
  openBrowser: (at: URL) => openBrowser(at, process.platform),
  now,
  wait: async (milliseconds: number) => void (await setTimeout(milliseconds)),
});

const doctor = doctorCommand({
  now,
  network: (env, timeout) => {
    const proxyFor = proxyFrom(env);
    return { ask: createAsk({ now, timeout, proxyFor }), ...createConnections({ timeout, proxyFor }) };
  },
  readFile: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  signIn: async (env, url, options) => {
    // Loaded only here, because it is most of the time that a run without a sign-in would take to start.
    const { signIn } = await import('./sign-in/sign-in.ts');
    return signIn(url, options, { ...signInWith(env), version: manifest.version });
  },
});

const commands = { name: 'client', summary: 'A client for any MCP server.', commands: [doctor] };

await runCommand('client', process, (terminal) => runCommandLine(commands, terminal));
