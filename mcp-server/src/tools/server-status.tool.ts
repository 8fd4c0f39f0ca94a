/**
 * Owns the tool `server_status`: for operators. It also demonstrates the step-up to a further scope (RFC 6750
 * §3.1).
 */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';

export default defineTool({
  name: 'server_status',
  title: 'Server status',
  description:
    'Tells how this server is doing: its version, its uptime, the MCP revisions it speaks and its open sessions.',
  scope: 'mcp:admin',
  input: z.object({}),
  output: z.object({
    name: z.string(),
    version: z.string(),
    uptime_seconds: z.int(),
    mcp_revisions: z.array(z.string()),
    open_sessions: z.int(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (_, { now, server }) => {
    const { name, version, startedAt, revisions, openSessions } = await server();
    const uptime = Math.floor((now().getTime() - startedAt.getTime()) / 1000);
    const lines = [
      `${name} ${version}, up for ${uptime} s`,
      `MCP revisions: ${revisions.join(', ')}`,
      `Open sessions: ${openSessions}`,
    ];
    const structured = {
      name,
      version,
      uptime_seconds: uptime,
      mcp_revisions: [...revisions],
      open_sessions: openSessions,
    };
    return { text: lines.join('\n'), structured };
  },
});
