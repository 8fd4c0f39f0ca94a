/** Owns `npm start`: it runs mcp-server, auth-server and, if no upstream is configured, the development IdP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { whenOrphaned } from '@mcp-oauth/shared/start/orphan';
import { visible } from '@mcp-oauth/shared/text/terminal-text';
import './environment.ts';
import { banner } from './banner.ts';
import { readable } from './log-line.ts';
import { type Part, partsOf } from './parts.ts';

const { parts, publicUrl, usesDevelopmentIdp, problems } = partsOf(process.env);
const width = Math.max(...parts.map(({ name }) => name.length));
const running = new Map<string, ChildProcess>();
const starting = new Set(parts.map(({ name }) => name));
const complaints = new Set<string>();
const warnings = new Set<string>();
let stopping = false;

if (problems.length > 0) {
  for (const problem of problems) process.stderr.write(`npm start: ${problem}\n`);
  process.exit(1);
}
for (const part of parts) launch(part);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(stopping ? 'SIGKILL' : 'SIGTERM'));
if (process.env.npm_lifecycle_event) whenOrphaned(process, () => stop('SIGTERM'));

function launch({ name, color, env }: Part): void {
  const main = fileURLToPath(new URL(`../${name}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const prefix = styleText(color, `${name.padEnd(width)} │ `);
  const said: string[] = [];
  running.set(name, child);
  eachLine(child.stdout, (line) => {
    if (!isRepeatedWarning(line)) process.stdout.write(`${readable(line).replace(/^/gm, prefix)}\n`);
  });
  eachLine(child.stderr, (line) => {
    if (starting.has(name)) said.push(visible(line));
    else process.stderr.write(`${prefix}${visible(line)}\n`);
  });
  child.on('message', () => {
    starting.delete(name);
    if (complaints.size > 0) stopWhenAllHaveSpoken();
    else if (starting.size === 0) process.stdout.write(banner(publicUrl, usesDevelopmentIdp));
  });
  child.on('close', (code) => {
    running.delete(name);
    starting.delete(name);
    if (!stopping || said.length > 0) {
      // Two parts may report the same variable: that is one problem.
      const lines = said.length > 0 ? said : [`${name}: ended unexpectedly with code ${code}`];
      for (const line of lines) if (!isRepeated(line)) complaints.add(line);
      stopWhenAllHaveSpoken();
    }
    if (running.size === 0) end();
  });
}

/** One part has failed. The others may have problems as well, and the operator should see all of them at once. */
function stopWhenAllHaveSpoken(): void {
  if (stopping) return;
  if (starting.size === 0) stop('SIGTERM');
  else setTimeout(() => stop('SIGTERM'), 5_000).unref();
}

const isRepeated = (line: string): boolean =>
  [...complaints].some((other) => other.replace(/^[\w-]+: /, '') === line.replace(/^[\w-]+: /, ''));

/** A warning that all parts print at their start, such as one about the machine, is shown once. */
function isRepeatedWarning(line: string): boolean {
  if (starting.size === 0 || !line.includes('"level":"warn"')) return false;
  const warning = line.replace(/"(time|service)":"[^"]*",?/g, '');
  const isRepeated = warnings.has(warning);
  warnings.add(warning);
  return isRepeated;
}

function stop(signal: NodeJS.Signals): void {
  if (stopping && signal === 'SIGTERM') return;
  stopping = true;
  for (const child of running.values()) child.kill(signal);
  // A part that is not ready has nothing to finish.
  const stuck = [...starting].map((name) => running.get(name));
  setTimeout(() => {
    for (const child of stuck) child?.kill('SIGKILL');
  }, 5_000).unref();
}

function end(): never {
  for (const line of complaints) process.stderr.write(`${line}\n`);
  process.exit(complaints.size > 0 ? 1 : 0);
}

function eachLine(stream: Readable | null, run: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', run);
}
