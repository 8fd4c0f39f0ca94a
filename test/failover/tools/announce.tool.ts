/** Owns a tool that announces a change to every subscribed client. */
import { defineTool } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';

export default defineTool({
  name: 'announce',
  title: 'Announce',
  description: 'Tells all clients that a resource has changed.',
  input: z.object({ label: z.string(), uri: z.string() }),
  output: z.object({ uri: z.string() }),
  run: async ({ uri }, { announce }) => {
    await announce({ kind: 'resource', uri });
    return { structured: { uri } };
  },
});
