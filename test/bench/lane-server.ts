/**
 * Owns the two servers of the lane's measurement, as a process: bare node:http that answers what it has read, and the
 * same answer behind the lane with its log, token check and cache.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@mcp-oauth/shared/clock';
import { answer, JSON_ANSWER } from '@mcp-oauth/shared/http/answer';
import { createLogger } from '@mcp-oauth/shared/logger';
import { createTokenVerifier } from '../../mcp-server/src/authorization/access-token.ts';
import { createKeySource } from '../../mcp-server/src/authorization/issuer/key-source.ts';
import { createScopePolicy } from '../../mcp-server/src/authorization/scope.ts';
import { createTokenCache } from '../../mcp-server/src/authorization/token-cache.ts';
import { createLane } from '../../mcp-server/src/http/mcp/lane.ts';
import { createMeters } from '../../mcp-server/src/metrics.ts';
import { tokenRules } from '../../mcp-server/test/support/issuer.ts';
import { allowance } from '../../mcp-server/test/support/limits.ts';
import { scopedTools } from '../../mcp-server/test/support/scoped-tools.ts';

const [kind = 'raw', issuer = '', publicUrl = '', keys = '{"keys":[]}'] = process.argv.slice(2);
const clock = systemClock;
const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'hello' }] } });

function answerBare(res: ServerResponse): void {
  res
    .writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': ANSWER.length,
      'Cache-Control': 'no-store',
    })
    .end(ANSWER);
}

/** The minimum that any server does: read the body, parse it, answer. */
const raw: RequestListener = (req: IncomingMessage, res) => {
  let body: Buffer | undefined;
  req.on('data', (chunk: Buffer) => {
    body = body ? Buffer.concat([body, chunk]) : chunk;
  });
  req.on('end', () => {
    JSON.parse(String(body));
    answerBare(res);
  });
};

function lane(): RequestListener {
  const fetch = async () => new Response(keys);
  const metadata = { get: () => Promise.reject(new Error('not needed')), renew: raw as never, touch: () => {} };
  const keySource = createKeySource({
    jwksUrl: `${issuer}/jwks`,
    metadata,
    fetch,
    clock,
    maxAge: 300,
    onFailure: () => {},
  });
  const rules = { ...tokenRules(issuer), audiences: [`${publicUrl}/mcp`] };
  const endpoint = ({ res }: { readonly res: ServerResponse }) => answer(res, 200, JSON_ANSWER, ANSWER);
  const verify = createTokenCache({
    verify: createTokenVerifier({ issuers: [{ rules: [rules], keySource }], clock }),
    keys: keySource,
    clock,
  });
  const meters = kind === 'lane, counted' ? createMeters() : undefined;
  const handler = createLane(
    {
      settings: { publicUrl, allowedHosts: [], allowedOrigins: [], dpopRequired: false },
      log: createLogger('bench', kind === 'lane, no log' ? 'warn' : 'info'),
      verify: meters?.verify(verify) ?? verify,
      verifyProof: () => Promise.reject(new Error('not needed')),
      isRevoked: () => false,
      addressOf: ({ socket }) => socket.remoteAddress ?? '',
      scopes: createScopePolicy({
        base: 'mcp:tools',
        hierarchy: new Map(),
        scoped: () => scopedTools([{ name: 'admin', scopes: ['mcp:admin'] }]),
      }),
      endpoints: {
        streamable: endpoint,
        sseStream: endpoint,
        sseMessage: endpoint,
        drain: () => ({ running: 0, leaving: 0 }),
        running: () => 0,
        finished: async () => {},
        close: async () => {},
      },
      allowance: allowance(),
    },
    (_, res) => res.writeHead(404).end(),
  );
  return meters?.timed(handler) ?? handler;
}

const server = createServer(kind === 'raw' ? raw : lane());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
