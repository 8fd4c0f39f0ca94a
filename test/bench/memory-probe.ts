/** Owns the answer of a server under test to the question what memory it needs; loaded before the server, which knows nothing of it. */
import { setImmediate } from 'node:timers/promises';

process.on('message', async (message) => {
  if (message !== 'memory') return;
  // What a collection lets go of may free more in the next turn: finalizers, closed sockets.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  process.send?.(process.memoryUsage());
});
// The server ends when its own work does.
process.channel?.unref();
