/**
 * Owns a server of a bench: a process of its own, on a core of its own where there are two, which reports its memory.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../support/stack.ts';

const canPin = spawnSync('taskset', ['--version']).status === 0 && availableParallelism() > 1;

/** The first two cores that this process may use: those of a container need not begin with 0. */
function allowed(): readonly number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const ranges = list.split(',').map((range) => range.split('-').map(Number));
  return ranges.flatMap(([first = 0, last = first]) => (last > first ? [first, first + 1] : [first])).slice(0, 2);
}

/** With two cores, the server under load has one to itself; everything else has the other. */
const [server = 0, rest = 1] = canPin ? allowed() : [];
const CORES = { server: String(server), rest: String(rest) } as const;
const pinned = (core: string): readonly string[] => (canPin ? ['taskset', '-c', core] : []);

/** The load comes from this process itself. */
export function leaveServerAlone(): void {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', CORES.rest, String(process.pid)]);
}

const PROBE = fileURLToPath(new URL('./memory-probe.ts', import.meta.url));

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Arguments of Node before the program. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly core?: keyof typeof CORES;
  /** The tree that it is in; absent: this one. */
  readonly root?: string;
  /** Whether its memory will be measured. */
  readonly probed?: boolean;
  /** Whether what it writes to stderr is dropped, because it logs there. */
  readonly silent?: boolean;
}

export interface Program {
  readonly pid: number;
  /** Its first message, which says that it is ready. */
  readonly said: unknown;
  /** Memory after a garbage collection. */
  memory(): Promise<NodeJS.MemoryUsage>;
  stop(): Promise<void>;
}

/** Resolves when the program has sent over IPC that it is ready. */
export async function runProgram(program: string, options: ProgramOptions = {}): Promise<Program> {
  const { args = [], flags = [], env = {}, core = 'server', root = ROOT, probed = false, silent = false } = options;
  const all = probed ? ['--expose-gc', '--import', PROBE, ...flags] : flags;
  const [command = '', ...rest] = [...pinned(CORES[core]), process.execPath, ...all, program, ...args];
  const child = spawn(command, rest, {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    // The log is read by this process; the program reports that it is ready in a separate message.
    stdio: ['ignore', 'pipe', silent ? 'pipe' : 'inherit', 'ipc'],
  });
  child.once('exit', (code) => child.emit('error', new Error(`${program} ended with ${code}`)));
  child.stdout?.resume();
  child.stderr?.resume();
  const first = await nextMessage(child);
  return {
    pid: child.pid ?? 0,
    said: first,
    memory: () => {
      child.send('memory');
      return nextMessage(child) as Promise<NodeJS.MemoryUsage>;
    },
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', () => resolve());
        child.kill();
      }),
  };
}

const nextMessage = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('message', (message) => {
      child.off('error', reject);
      resolve(message);
    });
  });

const TICKS_PER_SECOND = 100;

/** Seconds of processor time outside the kernel. */
export function userSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) / TICKS_PER_SECOND;
}

/** All seconds of processor time, without rounding: the nanoseconds of its threads. */
export const cpuSeconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, nanoseconds) => sum + nanoseconds / 1e9, 0);

/** Resident memory of a process in MiB. */
export const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
