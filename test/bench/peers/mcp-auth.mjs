/** Owns the peer mcp-auth: Express and SDK v1 with its bearer check, one transport and server for each session; one tool. */
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { MCPAuth } from 'mcp-auth';
import { z } from 'zod';

const [port, issuer] = process.argv.slice(2);
const resource = 'http://localhost:8080/mcp';
const metadata = {
  issuer,
  authorizationEndpoint: `${issuer}/authorize`,
  tokenEndpoint: `${issuer}/token`,
  jwksUri: `${issuer}/jwks`,
  responseTypesSupported: ['code'],
  grantTypesSupported: ['authorization_code'],
  codeChallengeMethodsSupported: ['S256'],
};
const auth = new MCPAuth({
  protectedResources: { metadata: { resource, authorizationServers: [{ type: 'oauth', metadata }] } },
});

const transports = new Map();

async function openSession() {
  const server = new McpServer({ name: 'peer', version: '1.0.0' });
  const inputSchema = { message: z.string() };
  server.registerTool('echo', { description: 'Gives back the message', inputSchema }, async ({ message }) => ({
    content: [{ type: 'text', text: `Echo: ${message}` }],
  }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => transports.set(id, transport),
  });
  await server.connect(transport);
  return transport;
}

const app = express();
app.use(express.json());
app.use(auth.bearerAuth('jwt', { resource, audience: resource, requiredScopes: ['mcp:tools'] }));
app.all('/mcp', async (req, res) => {
  const transport = transports.get(req.headers['mcp-session-id']) ?? (await openSession());
  await transport.handleRequest(req, res, req.body);
});
app.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
