/** Owns how a process notices that the process which started it is gone. */

/** npm ends on SIGTERM without forwarding it, so the loss of the parent process means that the process must stop. */
export function whenOrphaned(process: NodeJS.Process, run: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    run();
  }, 250).unref();
}
