/** Proves that a logger is created only for a request that says something besides its own line: each call would pay for it. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ForeignServer, startServer } from '../../support/foreign.ts';
import { signingKey, signToken, startIssuer, type TestIssuer } from '../../support/issuer.ts';
import { initialize, json, request, send } from '../../support/protocol-harness.ts';

const log = createLogger('test', 'info', { write: () => {} });
const created = vi.spyOn(log, 'child');
let issuer: TestIssuer;
let server: ForeignServer;
let tokenOf: (subject: string) => Promise<string>;

beforeAll(async () => {
  const key = await signingKey('key-1');
  issuer = await startIssuer();
  issuer.keys.push(key.publicJwk);
  server = await startServer({ ISSUER: issuer.url }, { log });
  tokenOf = (sub) => {
    const exp = server.clock.now() / 1000 + 600;
    const claims = { iss: issuer.url, aud: `${server.url}/mcp`, sub, client_id: 'desk', scope: 'mcp:tools', exp };
    return signToken({ key, claims });
  };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await issuer.close();
});

describe('the logger of a request', () => {
  it('no logger is created for a call of a session, but for one that uses the session of another', async () => {
    const as = { headers: { Authorization: `Bearer ${await tokenOf('ada')}` } };
    const opened = await send(server.url, initialize('2025-11-25'), as);
    const session = opened.headers.get('mcp-session-id') ?? '';
    const call = request(1, 'tools/call', { name: 'echo', arguments: { message: 'Hello' } });
    created.mockClear();
    expect(await json(await send(server.url, call, { ...as, session }))).toMatchObject({ id: 1, result: {} });
    expect(created).not.toHaveBeenCalled();
    const other = { headers: { Authorization: `Bearer ${await tokenOf('eve')}` }, session };
    expect((await send(server.url, call, other)).status).toBe(404);
    expect(created).toHaveBeenCalledOnce();
  });
});
