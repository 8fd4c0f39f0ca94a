/** Owns the peer mcp-framework: its HTTP transport with its own OAuth provider, which verifies each token; one tool. */
import { MCPServer, MCPTool, OAuthAuthProvider } from 'mcp-framework';
import { z } from 'zod';

const [port, issuer] = process.argv.slice(2);
const resource = 'http://localhost:8080/mcp';

class Echo extends MCPTool {
  name = 'echo';
  description = 'Gives back the message';
  schema = z.object({ message: z.string().describe('The message') });
  execute = async ({ message }) => `Echo: ${message}`;
}

const provider = new OAuthAuthProvider({
  authorizationServers: [issuer],
  resource,
  validation: { type: 'jwt', jwksUri: `${issuer}/jwks`, audience: resource, issuer, algorithms: ['ES256'] },
});
const server = new MCPServer({
  name: 'peer',
  version: '1.0.0',
  transport: {
    type: 'http-stream',
    options: { port: Number(port), host: '127.0.0.1', endpoint: '/mcp', responseMode: 'batch' },
    auth: { provider },
  },
});
server.addTool(Echo);
const started = server.start();
setTimeout(() => process.send?.('ready'), 3_000);
await started;
