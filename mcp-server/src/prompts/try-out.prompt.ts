/** Owns the prompt `try_out`: a first test after a client was connected (MCP server/prompts). */
import { z } from 'zod';
import { definePrompt } from '../protocol/define.ts';

export default definePrompt({
  name: 'try_out',
  title: 'Try out this server',
  description: 'Has the model use the tools of this server one after the other and tell what works.',
  arguments: z.object({
    depth: z.enum(['quick', 'thorough']).default('quick').describe('How much to try: quick or thorough'),
  }),
  render: ({ depth }) => {
    const text =
      depth === 'quick'
        ? 'Use the tools whoami and echo of this server, and tell me in one sentence whether the connection works.'
        : 'Use every tool of this server once with arguments that make sense, but none that could change anything. Then give me a table: the tool, what you asked, what came back, and whether that was right.';
    return [{ role: 'user', content: { type: 'text', text } }];
  },
});
