/** Owns a tool that needs the model of its client (sampling), and returns the replica that it ran on. */
import { defineTool } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';

export default defineTool({
  name: 'ponder',
  title: 'Ponder',
  description: 'Has the client think.',
  input: z.object({ label: z.string() }),
  output: z.object({ thought: z.string() }),
  run: async ({ label }, { sample }) => {
    const { content } = await sample({
      messages: [{ role: 'user', content: { type: 'text', text: label } }],
      maxTokens: 10,
    });
    const [first] = [content].flat();
    return { structured: { thought: first?.type === 'text' ? first.text : '' } };
  },
});
