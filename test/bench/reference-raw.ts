/**
 * Owns the lower bound of the bench of mcp-server: node:http that reads a JSON body and answers with as many bytes as a
 * tool.
 */
import { createServer } from 'node:http';

const [port] = process.argv.slice(2);
const result = { content: [{ type: 'text', text: 'Echo: Hello' }], structuredContent: { echoed_message: 'Hello' } };

createServer((req, res) => {
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    const { id } = JSON.parse(body);
    const text = JSON.stringify({ jsonrpc: '2.0', id, result });
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    res.end(text);
  });
}).listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
