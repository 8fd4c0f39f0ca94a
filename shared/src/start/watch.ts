/**
 * Ensures that a start which hangs is ended: in a file system that does not answer, or in a loaded file that never finishes. The
 * blocked thread can neither measure time nor handle a signal, so another thread watches it.
 */
import { Worker } from 'node:worker_threads';

/** Milliseconds between two signs of life, and the maximum without one. */
const BEAT = 500;
const LONGEST = 20_000;

const WATCHER = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
let timer;
const wait = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    writeSync(2, workerData.line);
    process.kill(process.pid, 'SIGKILL');
  }, workerData.longest);
};
parentPort.on('message', wait);
wait();
`;

/** @returns a function that ends the watch */
export function watchStart(name: string): () => void {
  const line = `${name}: the start hangs: a file or folder that it reads does not respond, or a loaded file never finishes; check DATA_DIR, TOOLS_DIR and the files in the settings\n`;
  // Without the options of the process, which would load the same files again, and without NODE_COMPILE_CACHE: a watcher that
  // reads a file hangs with the file system.
  const watcher = new Worker(WATCHER, { eval: true, execArgv: [], env: {}, workerData: { line, longest: LONGEST } });
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
