/** Owns the peer FastMCP: its HTTP server with its own `authenticate`, which verifies each token with jose; one tool. */
import { FastMCP } from 'fastmcp';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';

const [port, issuer] = process.argv.slice(2);
const audience = 'http://localhost:8080/mcp';
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

const server = new FastMCP({
  name: 'peer',
  version: '1.0.0',
  authenticate: async ({ headers }) => {
    const [, token = ''] = (headers.authorization ?? '').split(' ');
    const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' }).catch(() => {
      throw new Response(null, { status: 401 });
    });
    return { subject: payload.sub };
  },
});
server.addTool({
  name: 'echo',
  description: 'Gives back the message',
  parameters: z.object({ message: z.string() }),
  execute: async ({ message }) => `Echo: ${message}`,
});
await server.start({
  transportType: 'httpStream',
  httpStream: { port: Number(port), host: '127.0.0.1', enableJsonResponse: true },
});
process.send?.('ready');
