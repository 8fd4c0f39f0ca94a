/**
 * Owns the reference for sessions: the setup from the SDK's own documentation. Express, a bearer check with jose on
 * every request, one McpServer and one transport per session; one tool, no log.
 */
import { randomUUID } from 'node:crypto';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { RESOURCE } from './mcp-parties.ts';

const [port, issuer = ''] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

const bearer = requireBearerAuth({
  requiredScopes: ['mcp:tools'],
  verifier: {
    verifyAccessToken: async (token) => {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: RESOURCE, typ: 'at+jwt' });
      const { client_id, scope, exp } = payload;
      return { token, clientId: String(client_id), scopes: String(scope).split(' '), expiresAt: Number(exp) };
    },
  },
});

function createServer(): McpServer {
  const server = new McpServer({ name: 'reference', version: '1.0.0' });
  const schemas = { inputSchema: { message: z.string() }, outputSchema: { echoed_message: z.string() } };
  server.registerTool('echo', { description: 'Gives back the message', ...schemas }, async ({ message }) => ({
    content: [{ type: 'text', text: `Echo: ${message}` }],
    structuredContent: { echoed_message: message },
  }));
  return server;
}

const transports = new Map<string, StreamableHTTPServerTransport>();

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void transports.set(id, transport),
  });
  transport.onclose = () => void transports.delete(transport.sessionId ?? '');
  // Its callbacks are optional in a way that exactOptionalPropertyTypes does not accept for those of a Transport.
  await createServer().connect(transport as Parameters<McpServer['connect']>[0]);
  return transport;
}

const app = createMcpExpressApp();
app.all('/mcp', bearer, async (req, res) => {
  const transport = transports.get(String(req.headers['mcp-session-id'])) ?? (await openSession());
  await transport.handleRequest(req, res, req.body);
});
app.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
