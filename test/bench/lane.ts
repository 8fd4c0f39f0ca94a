/**
 * Owns `npm run bench:lane`: what a request for MCP costs before and after the protocol. A tools/call with an ES256
 * token on 50 connections, compared with bare node:http in the same run.
 */
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Cost, repeat } from './load.ts';
import { leaveServerAlone, runProgram } from './program.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, requests: { type: 'string', default: '50000' } },
});

const ISSUER = 'http://localhost:9000';
const PUBLIC_URL = 'http://localhost:8080';
const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { message: 'hello' } },
});

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] });
const token = await new SignJWT({ client_id: 'bench', scope: 'mcp:tools', sid: 'x'.repeat(100) })
  .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: '1' })
  .setIssuer(ISSUER)
  .setAudience(`${PUBLIC_URL}/mcp`)
  .setSubject('somebody')
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(privateKey);

const REQUEST = [
  'POST /mcp HTTP/1.1',
  'Host: localhost:8080',
  'User-Agent: node',
  'Accept: application/json, text/event-stream',
  'Accept-Encoding: gzip, deflate',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
  'Mcp-Protocol-Version: 2025-11-25',
  'Mcp-Session-Id: 4f2e7a1c-6a0f-4f39-9f0a-1d5f6f0b7c11',
  `Authorization: Bearer ${token}`,
  '',
  BODY,
].join('\r\n');

leaveServerAlone();
const kinds = ['raw', 'lane', 'lane, counted', 'lane, no log'] as const;
const servers = await Promise.all(
  kinds.map(async (kind) => ({
    kind,
    ...(await runProgram('test/bench/lane-server.ts', { args: [kind, ISSUER, PUBLIC_URL, keys] })),
  })),
);
const costs = new Map<string, Cost[]>(kinds.map((kind) => [kind, []]));
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const { kind, said, pid } of servers) {
    const cost = await repeat(Number(said), pid, REQUEST, Number(values.requests));
    // The first round warms up the compiler.
    if (round > 0) costs.get(kind)?.push(cost);
  }
}
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const of = (kind: string, figure: 'perSecond' | 'cpu' | 'user') =>
  median(costs.get(kind)?.map((cost) => cost[figure]) ?? []);
process.stdout.write(
  '| server | requests/s | CPU µs | user µs | more than raw |\n| --- | ---: | ---: | ---: | ---: |\n',
);
for (const kind of kinds) {
  const numbers = [of(kind, 'cpu'), of(kind, 'user'), of(kind, 'user') - of('raw', 'user')];
  const row = [kind, of(kind, 'perSecond').toFixed(0), ...numbers.map((number) => number.toFixed(1))];
  process.stdout.write(`| ${row.join(' | ')} |\n`);
}
await Promise.all(servers.map(({ stop }) => stop()));
