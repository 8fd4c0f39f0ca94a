/**
 * Ensures that a start which hangs is ended: in a file system that does not answer, or in a loaded file that never finishes. The
 * blocked thread can neither count nor handle a signal, so another thread watches it. That one counts processor time, and its own
 * looks: a start on a busy machine is slow, and does not hang.
 */
import { Worker } from 'node:worker_threads';

/** Milliseconds between two signs of life, and between two looks of the watcher. */
const BEAT = 500;

export interface Limits {
  /** Milliseconds of processor time without a sign of life. */
  readonly computing: number;
  /** Looks in a row at a process that does nothing. */
  readonly idle: number;
  /** Milliseconds of processor time that are something: more than the looks need themselves. */
  readonly something: number;
}

const LIMITS: Limits = { computing: 10_000, idle: 40, something: 100 };

export interface Watched {
  /** Milliseconds of processor time of the process at its last sign of life. */
  beat: number;
  /** The same when it had done something last, and the looks since then. */
  worked: number;
  looks: number;
}

/** Runs in the watcher, from its text: it may use nothing but its arguments. @returns whether the start hangs */
export function look(watched: Watched, spent: number, limits: Limits): boolean {
  watched.looks += 1;
  if (spent - watched.worked >= limits.something) {
    watched.worked = spent;
    watched.looks = 0;
  }
  const hangs = spent - watched.beat >= limits.computing || watched.looks >= limits.idle;
  // The first process of a container can't end itself: it must not say so at each look until somebody else ends it.
  if (hangs) {
    watched.beat = spent;
    watched.looks = 0;
  }
  return hangs;
}

const WATCHER = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const look = ${look};
const spent = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let watched;
const live = () => {
  watched = { beat: spent(), worked: spent(), looks: 0 };
};
parentPort.on('message', live);
live();
setInterval(() => {
  if (!look(watched, spent(), workerData.limits)) return;
  writeSync(2, workerData.line);
  process.kill(process.pid, 'SIGKILL');
}, workerData.beat);
`;

/** @returns a function that ends the watch */
export function watchStart(name: string): () => void {
  const line = `${name}: the start hangs: a file or folder that it reads does not respond, or a loaded file never finishes; check DATA_DIR, TOOLS_DIR and the files in the settings\n`;
  // Without the options of the process, which would load the same files again, and without NODE_COMPILE_CACHE: a watcher that
  // reads a file hangs with the file system.
  const workerData = { line, beat: BEAT, limits: LIMITS };
  const watcher = new Worker(WATCHER, { eval: true, execArgv: [], env: {}, workerData });
  watcher.unref();
  // A failed watcher must not prevent the start.
  watcher.on('error', () => {});
  const beat = setInterval(() => watcher.postMessage('alive'), BEAT);
  beat.unref();
  return () => {
    clearInterval(beat);
    watcher.terminate().catch(() => {});
  };
}
