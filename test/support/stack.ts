/**
 * Owns the real processes in a test: `npm start`'s own script on free ports, with a data folder that outlives a
 * restart.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@mcp-oauth/shared/testing/ports';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY = 'Ctrl-C stops everything.';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** One run of one of our programs with its arguments; `scripts/start.ts` starts all of them. */
export class Run {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #output = '';
  #closed = false;
  #stopped = false;
  #watchers = new Set<() => void>();

  /** @param program a file with its arguments: a list, if one of them has a space */
  constructor(env: NodeJS.ProcessEnv, program: string | readonly string[] = 'scripts/start.ts', folder = '') {
    this.#child = spawn(process.execPath, typeof program === 'string' ? program.split(' ') : program, {
      cwd: join(ROOT, folder),
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const add = (chunk: Buffer) => {
      this.#output += chunk.toString();
      for (const watch of this.#watchers) watch();
    };
    this.#child.stdout?.on('data', add);
    this.#child.stderr?.on('data', add);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#closed = true;
        resolve({ code, output: this.#output });
        for (const watch of this.#watchers) watch();
      });
    });
  }

  get output(): string {
    return this.#output;
  }

  /** Whether it ended although the test had not stopped it. */
  get hasEndedByItself(): boolean {
    return this.#closed && !this.#stopped;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the output contains `text`, rejects when the run ends first. */
  async says(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const watch = () => {
        const found = this.#output.includes(text);
        if (!found && !this.#closed) return;
        this.#watchers.delete(watch);
        if (found) resolve();
        else reject(new Error(`ended without saying "${text}":\n${this.#output}`));
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#stopped ||= !this.#closed;
    this.#child.kill(signal);
    return this.ended;
  }
}

export class Stack implements AsyncDisposable {
  readonly mcpUrl: string;
  readonly authUrl: string;
  readonly idpUrl: string;
  readonly dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-e2e-'));
  readonly #env: NodeJS.ProcessEnv;
  run: Run;

  private constructor([mcp, auth, idp]: readonly number[], env: NodeJS.ProcessEnv) {
    this.mcpUrl = `http://localhost:${mcp}`;
    this.authUrl = `http://localhost:${auth}`;
    this.idpUrl = `http://localhost:${idp}`;
    this.#env = {
      PUBLIC_URL: this.mcpUrl,
      ISSUER: this.authUrl,
      DEVELOPMENT_IDP_URL: this.idpUrl,
      DATA_DIR: this.dataDir,
      ...env,
    };
    this.run = new Run(this.#env);
  }

  /** @param ports of mcp-server, auth-server and the development IdP, where something must know them before */
  static async start(env: NodeJS.ProcessEnv = {}, ports?: readonly number[]): Promise<Stack> {
    const stack = new Stack(ports ?? (await freePorts(3)), env);
    await stack.run.says(READY);
    return stack;
  }

  /** Ends all processes with `signal` and starts them again on the same ports and data. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.run.stop(signal);
    // After a kill of the parent, its children notice by themselves that it is gone.
    for (const url of [this.mcpUrl, this.authUrl, this.idpUrl]) while (await isTaken(url)) await setTimeout(20);
    this.run = new Run(this.#env);
    await this.run.says(READY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { hasEndedByItself } = this.run;
    const { output } = await this.run.stop();
    // The folder holds signing keys.
    rmSync(this.dataDir, { recursive: true, force: true });
    // The test saw no more than a refused connection; the output says which process ended and why.
    if (hasEndedByItself) throw new Error(`The services ended during the test:\n${output.slice(-20_000)}`);
  }
}

const isTaken = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname: host, port } = new URL(url);
    const socket = connect(Number(port), host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
