/** Owns a tool that calls a tool of another MCP server for the person (MCP 2026-07-28: one request, no session). */
import { defineTool, ToolError } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';

export default defineTool({
  name: 'ask_billing',
  title: 'Ask billing',
  description: 'Calls a tool of another MCP server: by default one that says who calls it.',
  upstream: 'billing',
  annotations: { readOnlyHint: true },
  input: z.object({ tool: z.string().default('whoami') }),
  run: async ({ tool: name }, { fetch }) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'ask_billing', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } },
    };
    const response = await fetch('billing', '/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta } }),
    });
    if (!response.ok) throw new ToolError(`Billing answered ${response.status}.`);
    return { text: await response.text() };
  },
});
