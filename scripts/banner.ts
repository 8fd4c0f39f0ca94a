/** Owns the text that `npm start` prints when everything is ready: the URL, and the configuration of common clients. */

export function banner(publicUrl: string, usesDevelopmentIdp: boolean): string {
  const url = `${publicUrl}/mcp`;
  const signIn = usesDevelopmentIdp
    ? 'Sign in as Alice or Bob: the development IdP needs no password. Set CONNECTORS to use your own identity provider.'
    : 'People sign in at the identity providers that CONNECTORS names.';
  return `
  MCP server   ${url}
  Read more    ${publicUrl}
  ${signIn}

  Cursor       ~/.cursor/mcp.json    { "mcpServers": { "mcp-oauth-server": { "url": "${url}" } } }
  VS Code      .vscode/mcp.json      { "servers": { "mcp-oauth-server": { "type": "http", "url": "${url}" } } }
  Claude Code  claude mcp add --transport http mcp-oauth-server ${url}
  Inspector    npx @modelcontextprotocol/inspector --transport http --server-url ${url}

  Ctrl-C stops everything.

`;
}
