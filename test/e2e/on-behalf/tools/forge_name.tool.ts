/** Owns a tool that uses a second upstream. */
import { defineTool, ToolError } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';

export default defineTool({
  name: 'forge_name',
  title: 'Name at the forge',
  description: 'Says who the person is at the forge.',
  upstream: 'forge',
  annotations: { readOnlyHint: true },
  input: z.object({ at: z.string().default('/user') }),
  run: async ({ at }, { fetch }) => {
    const response = await fetch('forge', at);
    if (!response.ok) throw new ToolError(`The forge answered ${response.status}.`);
    const { login } = (await response.json()) as { login: string };
    return { text: login };
  },
});
