/** Owns the configuration snippets by which a person connects each client to this server. */

export interface Guide {
  readonly client: string;
  /** One step in words, shown above the snippet. */
  readonly step: string;
  readonly snippet: string;
  /** A link that opens the client with the configuration. */
  readonly install?: { readonly label: string; readonly url: string };
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** The name under which clients list this server: lower case, without spaces. */
const clientKey = (serverName: string): string =>
  serverName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'mcp';

export function guides(serverName: string, url: string): readonly Guide[] {
  const key = clientKey(serverName);
  return [
    cursor(key, url),
    vsCode(key, url),
    claudeCode(key, url),
    claudeDesktop(key, url),
    codex(key, url),
    inspector(url),
  ];
}

const cursor = (key: string, url: string): Guide => ({
  client: 'Cursor',
  step: 'Add to ~/.cursor/mcp.json, then press “Connect” under Settings → MCP:',
  snippet: json({ mcpServers: { [key]: { url } } }),
  install: {
    label: 'Add to Cursor',
    url: `cursor://anysphere.cursor-deeplink/mcp/install?name=${key}&config=${encodeURIComponent(btoa(JSON.stringify({ url })))}`,
  },
});

const vsCode = (key: string, url: string): Guide => ({
  client: 'VS Code',
  step: 'Add to .vscode/mcp.json, then press “Start” above the entry:',
  snippet: json({ servers: { [key]: { type: 'http', url } } }),
  install: {
    label: 'Add to VS Code',
    url: `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: key, type: 'http', url }))}`,
  },
});

const claudeCode = (key: string, url: string): Guide => ({
  client: 'Claude Code',
  step: 'Run this, then type /mcp in a conversation and choose “Authenticate”:',
  snippet: `claude mcp add --transport http ${key} ${url}`,
});

const claudeDesktop = (key: string, url: string): Guide => ({
  client: 'Claude Desktop, and any client without remote servers',
  step: 'A public https address goes under Settings → Connectors. Otherwise add to claude_desktop_config.json:',
  snippet: json({ mcpServers: { [key]: { command: 'npx', args: ['-y', 'mcp-remote', url] } } }),
});

const codex = (key: string, url: string): Guide => ({
  client: 'Codex',
  step: 'Run both:',
  snippet: `codex mcp add ${key} --url ${url}\ncodex mcp login ${key}`,
});

const inspector = (url: string): Guide => ({
  client: 'MCP Inspector',
  step: 'Run this, then turn the switch of the server on; version 1 has a “Connect” button instead:',
  snippet: `npx @modelcontextprotocol/inspector --transport http --server-url ${url}`,
});
