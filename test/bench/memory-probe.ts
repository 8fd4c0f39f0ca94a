/**
 * Owns the answer of a measured server to a question about its memory. It is loaded before the server, which does not
 * know of it.
 */
import { setImmediate } from 'node:timers/promises';

process.on('message', async (message) => {
  if (message !== 'memory') return;
  // A collection may free more in the next turn: finalizers, closed sockets. The last-resort collection also returns
  // half-empty pages, which V8 otherwise does only when it is idle.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await setImmediate();
  }
  process.send?.(process.memoryUsage());
});
// The server ends when it has no more work; this listener must not keep it running.
process.channel?.unref();
