/** Proves at which issuer, and with which proof, a token is exchanged: by what the issuer says of itself. */
import { createPrivateKey } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createExchange, type Exchanged } from '../../src/upstream/exchange.ts';
import { newKey } from '../../src/upstream/own-key.ts';

const issuer = 'https://as.example';
const metadata = { issuer, token_endpoint: `${issuer}/token`, dpop_signing_alg_values_supported: ['ES256'] };
const key = createPrivateKey({ key: { ...(await newKey()) }, format: 'jwk' });

interface How {
  readonly isBound?: boolean;
  readonly resource?: boolean;
  readonly iss?: string;
  /** The token that the upstream has refused. */
  readonly rejected?: string;
}

/** Exchanges a token at an issuer that refuses it. @returns the requests, and the error */
async function exchangeAt(found: object, { isBound = false, resource = true, iss = issuer, rejected }: How = {}) {
  const sent: { readonly url: string; readonly headers: Headers; readonly form: URLSearchParams }[] = [];
  const exchange = createExchange({
    issuers: new Map([
      [issuer, { metadata: { get: async () => found as never }, inside: (url) => url.replace('as.', 'in.') }],
    ]),
    clientId: 'mcp-server',
    clientKey: { key, alg: 'ES256' },
    prove: async ({ url }) => `proof for ${url}`,
    fetch: async (url, init) => {
      sent.push({
        url: String(url),
        headers: new Headers(init?.headers),
        form: new URLSearchParams(String(init?.body)),
      });
      return Response.json({ error: 'invalid_target' }, { status: 400 });
    },
    clock: new FakeClock(),
    newId: () => 'id',
  });
  const principal = { issuer: iss, expiresAt: 0, ...(isBound && { keyThumbprint: 'jkt' }) };
  const asked: Exchanged = {
    upstream: {
      ...{ id: 'billing', base: 'https://b.example', origins: new Set(['https://b.example']), scopes: undefined },
      target: resource ? { resource: 'https://b.example/mcp' } : { audience: 'billing' },
    },
    caller: { token: 'token of the caller', principal },
    wish: { kind: 'page' },
    rejected,
  };
  const error = await exchange(asked).catch((thrown: Error) => thrown.message);
  return { sent, error };
}

describe('the token endpoint of an issuer', () => {
  it('the token endpoint is reached inside the network, and the proof names it as the issuer does', async () => {
    const { sent } = await exchangeAt(metadata);
    expect(sent.map(({ url }) => url)).toEqual(['https://in.example/token']);
    expect(sent[0]?.headers.get('dpop')).toBe('proof for https://as.example/token');
  });

  it.each([
    ['RFC 9449 §5.1 knows no DPoP', { ...metadata, dpop_signing_alg_values_supported: undefined }, {}, null],
    ['gives the token of an account', metadata, { resource: false }, null],
    [
      'RFC 9449 §5.1 knows no DPoP, but the token of the caller is bound',
      { ...metadata, dpop_signing_alg_values_supported: undefined },
      { isBound: true },
      'proof for https://as.example/token',
    ],
  ])('gets a proof as it needs one: it %s', async (_, found, how, expected) => {
    const { sent } = await exchangeAt(found, how);
    expect(sent[0]?.headers.get('dpop')).toBe(expected);
  });

  it.each([
    ['an account', false, true],
    // RFC 8693 §2.1: each exchange gives a new one, and auth-server refuses a parameter that is about something else.
    ['another MCP server, which gives a new one each time', true, false],
  ])('hears of a token that was refused if it is that of %s', async (_, resource, expected) => {
    const { sent } = await exchangeAt(metadata, { resource, rejected: 'refused' });
    expect(sent.map(({ form }) => form.has('rejected_token'))).toEqual([expected]);
  });

  it.each([
    ['has none', { issuer }, {}, 'its metadata has no token_endpoint'],
    [
      'RFC 8414 §2 is not https',
      { ...metadata, token_endpoint: 'http://as.example/token' },
      {},
      'its token_endpoint is not https',
    ],
    [
      'is of an issuer that is not configured',
      metadata,
      { iss: 'https://evil.example' },
      'the issuer of the access token is not known any more',
    ],
  ])('gets no token if it %s', async (_, found, how, expected) => {
    expect(await exchangeAt(found, how)).toEqual({ sent: [], error: expected });
  });
});
