/** Proves what an exchange (RFC 8693) may be asked for, in which form, and what a refused request leaves behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, type TestClient, tokensFor } from '../support/client.ts';
import {
  ACCESS_TOKEN,
  assertionOf,
  BILLING,
  exchange,
  LEDGER,
  otherPair,
  pair,
  startExchange,
} from '../support/exchange.ts';
import { MCP, type RunningServer, read } from '../support/running-server.ts';

let server: RunningServer;
let client: TestClient;
let token: string;
beforeAll(async () => {
  server = await startExchange();
  client = await register(server);
  token = String((await tokensFor(server, client, { resource: MCP })).access_token);
});
afterAll(() => server[Symbol.asyncDispose]());

const outcome = async (response: Response) => [response.status, (await read(response)).error];
const BAD_TARGET = [400, 'invalid_target'];

describe('RFC 8693 §2.2.2 for what it may be exchanged', () => {
  it('a target that the policy does not name is refused like one that does not exist', async () => {
    for (const target of [
      { resource: LEDGER },
      { resource: 'https://nowhere.example/mcp' },
      { resource: MCP },
      { resource: undefined, audience: 'github' },
      { resource: undefined, audience: 'nothing' },
      { resource: undefined, audience: BILLING },
    ]) {
      const response = await exchange(server, token, target);
      expect(response.status).toBe(400);
      expect(await read(response)).toEqual({
        error: 'invalid_target',
        error_description: 'this client may not exchange the subject_token for this target',
      });
    }
  });

  it('§2.1 more than one target is refused, because each could use the token at the others', async () => {
    for (const target of [
      { resource: [BILLING, LEDGER] },
      { resource: [BILLING, BILLING] },
      { audience: 'github' },
      { resource: undefined, audience: ['github', 'google'] },
    ]) {
      expect(await outcome(await exchange(server, token, target))).toEqual(BAD_TARGET);
    }
    expect(await outcome(await exchange(server, token, { resource: undefined }))).toEqual([400, 'invalid_request']);
  });
});

describe('RFC 8693 §2.1 the form of the request', () => {
  it.each([
    ['no subject_token', { subject_token: undefined }],
    ['no subject_token_type', { subject_token_type: undefined }],
    ['another subject_token_type', { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    ['another requested_token_type', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
    ['an actor_token', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }],
    ['an actor_token_type alone', { actor_token_type: ACCESS_TOKEN }],
    ['two subject tokens', { subject_token: ['a.b.c', 'd.e.f'] }],
    ['two scopes', { scope: ['mcp:tools', 'mcp:tools'] }],
    ['a subject_token of 40 KiB', { subject_token: 'x'.repeat(40_960) }],
    ['a target of 5 KiB', { resource: `https://billing.example/${'x'.repeat(5_120)}` }],
    ['a scope of 5 KiB', { scope: 'x'.repeat(5_120) }],
  ])('%s is refused', async (_, parameters) => {
    expect(await outcome(await exchange(server, token, parameters))).toEqual([400, 'invalid_request']);
  });

  it('a body above the limit of the server is refused before it is read', async () => {
    expect((await exchange(server, 'x'.repeat(60_000))).status).toBe(413);
  });
});

describe('what refused exchanges leave', () => {
  it('the log and the audit have no part of a token or assertion', async () => {
    const assertion = await assertionOf('mcp-server', pair);
    const billing = String((await tokensFor(server, client, { resource: BILLING })).access_token);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const credentials = { client_assertion: assertion, client_assertion_type: type };
    await exchange(server, billing, {}, { credentials });
    await exchange(server, billing, { subject_token_type: 'x' });
    await exchange(server, `${billing}.${billing}`);
    await exchange(server, billing, { actor_token: billing });
    await exchange(server, billing, { requested_token_type: 'x', resource: LEDGER });
    await exchange(server, billing, {}, { key: otherPair });
    const left = JSON.stringify([server.log, server.entries]);
    for (const secret of [assertion, billing]) {
      for (const part of secret.split('.').slice(1)) expect(left).not.toContain(part);
    }
  });

  it('RFC 6749 §10.10 only guesses count as failures of an address, not what a client with a proved key is refused', async () => {
    await using limited = await startExchange({ env: { FAILURE_LIMIT: '3' } });
    for (let n = 0; n < 5; n += 1) {
      expect((await exchange(limited, 'a.b.c')).status).toBe(400);
    }
    for (let n = 0; n < 4; n += 1) await exchange(limited, 'a.b.c', {}, { key: otherPair });
    expect((await exchange(limited, 'a.b.c')).status).toBe(429);
  });
});
