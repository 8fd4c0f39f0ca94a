/**
 * Owns the end of a start that hangs where nothing else can end it: in a file system that does not answer, or in a file that is loaded
 * and never comes to an end. The thread that is stuck can neither tell the time nor hear a signal, so another one watches it.
 */
import { Worker } from 'node:worker_threads';

/** Milliseconds between two signs of life, and without one. */
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

/** @returns what ends the watch */
export function watchStart(name: string): () => void {
  const line = `${name}: the start hangs: something that it reads or loads does not come to an end; look at DATA_DIR, TOOLS_DIR and the files in the settings\n`;
  // Without the options of the process, which would load the same again.
  const watcher = new Worker(WATCHER, { eval: true, execArgv: [], workerData: { line, longest: LONGEST } });
  watcher.unref();
  // A thread that can't be had is no reason not to start.
  watcher.on('error', () => {});
  const beat = setInterval(() => watcher.postMessage('alive'), BEAT);
  beat.unref();
  return () => {
    clearInterval(beat);
    void watcher.terminate();
  };
}
