/**
 * Owns the resource `server`: information about this server, for people and for clients that display resources (MCP
 * server/resources).
 */
import { defineResource } from '../protocol/define.ts';

export default defineResource({
  name: 'server',
  title: 'About this server',
  description: 'What this server is, since when it runs, and which revisions of MCP it speaks.',
  uri: 'about://server',
  mimeType: 'application/json',
  read: async ({ server }) => {
    const { name, version, startedAt, revisions } = await server();
    const about = { name, version, started_at: startedAt.toISOString(), mcp_revisions: revisions };
    return { text: JSON.stringify(about, null, 2) };
  },
});
