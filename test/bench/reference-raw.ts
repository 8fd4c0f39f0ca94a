/**
 * Owns the lower bound of the bench of mcp-server: node:http that reads a JSON body and answers with as many bytes as
 * mcp-server: as a tool, as a tool that reports progress, or as a list of tools; on request it checks the token first.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { RESOURCE } from './mcp-parties.ts';

const [port, kind = 'answer', issuer = '', length = '0'] = process.argv.slice(2);
const keys = issuer ? createRemoteJWKSet(new URL(`${issuer}/jwks`)) : undefined;
const echo = { content: [{ type: 'text', text: 'Echo: Hello' }], structuredContent: { echoed_message: 'Hello' } };
const counted = { content: [{ type: 'text', text: 'Counted down from 1 to 0.' }], structuredContent: { counted: 1 } };
const progress = [
  { progressToken: 1, progress: 0, total: 1, message: '1 …' },
  { progressToken: 1, progress: 1, total: 1, message: 'Lift-off' },
];
/** As long as the list of mcp-server. */
const page = 'x'.repeat(Number(length));

function write(res: ServerResponse, text: string): void {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}

let written = 0;
const event = (data: string): string => `id: 2f91b42cf16a.${written}:1-0\n${data}\n\n`;
const frame = (message: object): string =>
  event(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}`);

/** The frames of a session: each is written when it is known, with a turn of the timers between the two steps. */
function stream(res: ServerResponse, id: unknown): void {
  written += 1;
  const [first, last] = progress.map((params) => frame({ method: 'notifications/progress', params }));
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.write(`retry: 500\n${event('data: ')}`);
  res.write(first);
  setTimeout(() => {
    res.write(last);
    res.end(frame({ id, result: counted }));
  });
}

async function verify(req: IncomingMessage, res: ServerResponse, id: unknown): Promise<void> {
  const [, token = ''] = (req.headers.authorization ?? '').split(' ');
  if (keys) await jwtVerify(token, keys, { issuer, audience: RESOURCE, typ: 'at+jwt' });
  write(res, JSON.stringify({ jsonrpc: '2.0', id, result: echo }));
}

createServer((req, res) => {
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    const { id } = JSON.parse(body);
    if (kind === 'stream') return stream(res, id);
    if (kind === 'verify') return void verify(req, res, id);
    write(res, kind === 'list' ? page : JSON.stringify({ jsonrpc: '2.0', id, result: echo }));
  });
}).listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
