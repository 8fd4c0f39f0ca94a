/** Owns what `npm start` says once everything is up: the URL, and what to paste into the usual clients. */

export function banner(publicUrl: string, usesDevelopmentIdp: boolean): string {
  const url = `${publicUrl}/mcp`;
  const signIn = usesDevelopmentIdp
    ? 'Sign in as Alice or Bob: the development IdP asks for no password. Set CONNECTORS to use a real one.'
    : 'People sign in at the identity providers in CONNECTORS.';
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
