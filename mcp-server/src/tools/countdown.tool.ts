/** Owns the tool `countdown`: a long call that reports progress and can be cancelled (MCP progress, cancellation). */

import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';

export default defineTool({
  name: 'countdown',
  title: 'Countdown',
  description: 'Counts down to zero and reports progress at every step. Use it to try out progress and cancellation.',
  input: z.object({
    from: z.int().min(1).max(60).default(5).describe('Where to start'),
    interval_ms: z.int().min(0).max(5_000).default(1_000).describe('Milliseconds between two steps'),
  }),
  output: z.object({ counted: z.int() }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: async ({ from, interval_ms }, { progress, signal }) => {
    for (let left = from; left > 0; left -= 1) {
      await progress(from - left, from, `${left} …`);
      await setTimeout(interval_ms, undefined, { signal });
    }
    await progress(from, from, 'Lift-off');
    return { text: `Counted down from ${from} to 0.`, structured: { counted: from } };
  },
});
