/** Owns a tool that runs for a while and sends numbered progress notifications. */
import { setTimeout } from 'node:timers/promises';
import { defineTool } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';

export default defineTool({
  name: 'slow',
  title: 'Slow',
  description: 'Counts and says so.',
  input: z.object({ label: z.string(), steps: z.int(), pause: z.int() }),
  output: z.object({ label: z.string() }),
  run: async ({ label, steps, pause }, { progress }) => {
    for (let step = 1; step <= steps; step += 1) {
      await progress(step, steps);
      await setTimeout(pause);
    }
    return { structured: { label } };
  },
});
