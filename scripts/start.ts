/** Owns `npm start`: mcp-server, auth-server and, where no upstream is configured, the development IdP side by side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { banner } from './banner.ts';
import { readable } from './log-line.ts';

interface Part {
  readonly name: string;
  readonly color: 'cyan' | 'magenta' | 'yellow';
  readonly env: NodeJS.ProcessEnv;
}

if (existsSync('.env')) process.loadEnvFile('.env');
const { PORT: port, ...environment } = process.env;
// PORT means one process; here it can only be the one that clients connect to.
const publicUrl = environment.PUBLIC_URL || `http://localhost:${port || 8080}`;
const connectors = environment.CONNECTORS || 'development';
const env: NodeJS.ProcessEnv = { RESOURCES: publicUrl, ...environment, PUBLIC_URL: publicUrl };
const usesDevelopmentIdp = connectors.split(/[\s,]+/).includes('development') && env.NODE_ENV !== 'production';

const parts: readonly Part[] = [
  { name: 'mcp-server', color: 'cyan', env: port ? { ...env, PORT: port } : env },
  { name: 'auth-server', color: 'magenta', env },
  ...(usesDevelopmentIdp ? [{ name: 'development-idp', color: 'yellow', env } as const] : []),
];
const width = Math.max(...parts.map(({ name }) => name.length));
const running = new Map<string, ChildProcess>();
let waiting = parts.length;
let stopping = false;
let exitCode = 0;

for (const part of parts) launch(part);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(stopping ? 'SIGKILL' : 'SIGTERM'));

// npm dies of a SIGTERM without passing it on: whoever loses the parent that started it has been told to stop.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent && !stopping) stop('SIGTERM');
}, 250).unref();

function launch({ name, color, env }: Part): void {
  const main = fileURLToPath(new URL(`../${name}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const prefix = styleText(color, `${name.padEnd(width)} │ `);
  const complaints: string[] = [];
  let ready = false;
  running.set(name, child);
  eachLine(child.stdout, (line) => process.stdout.write(`${prefix}${readable(line)}\n`));
  // Until a part is ready its complaints are held back: of several that fail for one reason only the first is shown.
  eachLine(child.stderr, (line) => {
    if (ready) process.stderr.write(`${prefix}${line}\n`);
    else complaints.push(line);
  });
  child.on('message', () => {
    ready = true;
    waiting -= 1;
    if (waiting === 0) process.stdout.write(banner(publicUrl, usesDevelopmentIdp));
  });
  child.on('close', (code) => {
    running.delete(name);
    if (!stopping) {
      exitCode = 1;
      process.stderr.write(`${complaints.join('\n') || `${name}: ended unexpectedly with code ${code}`}\n`);
      stop('SIGTERM');
    }
    if (running.size === 0) process.exit(exitCode);
  });
}

function stop(signal: NodeJS.Signals): void {
  stopping = true;
  for (const child of running.values()) child.kill(signal);
}

function eachLine(stream: Readable | null, run: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', run);
}
