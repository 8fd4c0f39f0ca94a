/** Owns the answer of a server under test to the question what memory it needs; loaded before the server, which knows nothing of it. */
import { setImmediate } from 'node:timers/promises';

process.on('message', async (message) => {
  if (message !== 'memory') return;
  // What a collection lets go of may free more in the next turn: finalizers, closed sockets. The last resort also gives back
  // pages that are half empty, which V8 otherwise does when it finds the time: they are nobody's.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await setImmediate();
  }
  process.send?.(process.memoryUsage());
});
// The server ends when its own work does.
process.channel?.unref();
