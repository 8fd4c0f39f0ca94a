/**
 * Owns the reference for 2026-07-28: the SDK's own handler behind node:http, called with a parsed body, which costs it
 * less; a bearer check with jose on every request; one tool, no log.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { RESOURCE } from './mcp-parties.ts';

const [port, issuer = ''] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'reference', version: '1.0.0' });
  const schemas = {
    inputSchema: z.object({ message: z.string() }),
    outputSchema: z.object({ echoed_message: z.string() }),
  };
  server.registerTool('echo', { description: 'Gives back the message', ...schemas }, async ({ message }) => ({
    content: [{ type: 'text', text: `Echo: ${message}` }],
    structuredContent: { echoed_message: message },
  }));
  return server;
});
const answer = toNodeHandler(handler);

async function read(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

createServer(async (req, res) => {
  const [, token = ''] = (req.headers.authorization ?? '').split(' ');
  const { payload } = await jwtVerify(token, keys, { issuer, audience: RESOURCE, typ: 'at+jwt' });
  if (!String(payload.scope).split(' ').includes('mcp:tools')) throw new Error('insufficient_scope');
  // The type declares members as optional that Node sets to undefined.
  await answer(req as Parameters<typeof answer>[0], res, await read(req));
}).listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
