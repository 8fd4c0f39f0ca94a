/** Proves that a tool calls a tool of another MCP server with a token that only this server can use. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { defineTool } from '../../src/protocol/define.ts';
import { newKey } from '../../src/upstream/own-key.ts';
import { callTool, textOf } from './probe.ts';
import { type Stage, startStage } from './stage.ts';

/** Calls `whoami` of the other server by the client of the SDK. */
const relay = defineTool({
  name: 'relay',
  title: 'Relay',
  description: 'Asks the other server who calls it, with the client of the SDK.',
  input: z.object({ url: z.string() }),
  run: async ({ url }, { fetch }) => {
    const client = new Client({ name: 'relay', version: '0' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: (at, init) => fetch('billing', at, init),
    });
    await client.connect(transport);
    const { content } = await client.callTool({ name: 'whoami', arguments: {} });
    await client.close();
    return { text: JSON.stringify(content) };
  },
});

let billing: Stage;
let first: Stage;
let tokens: string[] = [];
beforeAll(async () => {
  const EXCHANGE_KEY = JSON.stringify(await newKey());
  billing = await startStage({ EXCHANGE_KEY, UPSTREAMS: '', DPOP_REQUIRED: 'true', DPOP_NONCE_REQUIRED: 'true' });
  const upstream = { UPSTREAMS: 'billing', UPSTREAM_BILLING_RESOURCE: `${billing.url}/mcp` };
  const { clock } = billing;
  first = await startStage(
    { ISSUER: billing.issuer.url, EXCHANGE_KEY, ...upstream },
    { catalog: createCatalog([relay]), clock },
  );
  billing.answer = undefined;
});
afterAll(() => Promise.all([billing[Symbol.asyncDispose](), first[Symbol.asyncDispose]()]));

describe('a tool that calls a tool', () => {
  it('RFC 9449 §7.1 the other server gets a token bound to the key of this one, with a proof, and its nonce', async () => {
    const bound = await boundToken();
    billing.answer = () => ({
      status: 200,
      body: {
        access_token: bound,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'DPoP',
      },
    });
    const authorization = `Bearer ${await billing.token('ada', { aud: `${first.url}/mcp` })}`;
    const { body } = await callTool(first, 'relay', { url: `${billing.url}/mcp` }, { headers: { authorization } });
    expect(textOf(body)).toContain('You are ada');
    expect(billing.asked.map(({ form }) => form.resource)).toEqual([`${billing.url}/mcp`]);
    for (const token of tokens) expect([...first.log, ...billing.log].join('')).not.toContain(token);
  });

  it('RFC 6750 §3.1 a token that the other server refuses is replaced once, by an exchange like the first', async () => {
    const [good, bad] = [await boundToken(), 'token-that-was-withdrawn'];
    billing.asked.length = 0;
    billing.answer = ({ form }) => ({
      status: form.rejected_token === undefined ? 200 : 400,
      body: {
        error: 'invalid_request',
        access_token: billing.asked.length > 1 ? good : bad,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'DPoP',
      },
    });
    const authorization = `Bearer ${await billing.token('ada', { aud: `${first.url}/mcp`, jti: 'another' })}`;
    const { body } = await callTool(first, 'relay', { url: `${billing.url}/mcp` }, { headers: { authorization } });
    expect(textOf(body)).toContain('You are ada');
    expect(billing.asked).toHaveLength(2);
  });
});

/** As auth-server gives it: bound to the key of the proof, and naming who acts. */
async function boundToken(): Promise<string> {
  const { keys } = (await (await fetch(`${first.url}/.well-known/jwks.json`)).json()) as { keys: [object] };
  const token = await billing.token('ada', {
    aud: `${billing.url}/mcp`,
    client_id: 'mcp-server',
    act: { sub: 'mcp-server' },
    cnf: { jkt: await calculateJwkThumbprint(keys[0]) },
  });
  expect(decodeProtectedHeader(token).typ).toBe('at+jwt');
  tokens = [token];
  return token;
}
