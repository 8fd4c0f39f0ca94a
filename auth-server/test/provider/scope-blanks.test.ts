/**
 * Proves that extra blanks in a scope do no harm at any endpoint that takes one. RFC 6749 §3.3 allows exactly one between two names,
 * and clients send others.
 */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { authorizePath, redeem, refresh, register, type TestClient, tokensFor, VERIFIER } from '../support/client.ts';
import { form, type RunningServer, read, startServer } from '../support/running-server.ts';

const JOB = { client_id: 'job', client_secret: 'a-secret-of-the-nightly-job', grant_types: ['client_credentials'] };

let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  server = await startServer({ env: { CLIENTS: JSON.stringify([JOB]) } });
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

/** The granted scope, after the person has signed in. */
async function granted(target: string): Promise<unknown> {
  const browser = new Browser(server);
  const { page } = await browser.follow(target);
  const { outside } = await browser.signIn(page, 'alice');
  return (await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''))).scope;
}

const parametersWith = (scope: string): Record<string, string> => ({
  client_id: client.id,
  redirect_uri: client.redirectUri,
  response_type: 'code',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
  scope,
});

/** What each endpoint grants for a scope; an error is the result as well. */
const ENDPOINTS: Readonly<Record<string, (scope: string) => Promise<unknown>>> = {
  'GET /authorize': (scope) => granted(authorizePath(client, { scope })),
  'GET /authorize/, with a slash at its end': (scope) =>
    granted(`/authorize/?${new URLSearchParams(parametersWith(scope))}`),
  'POST /par': async (scope) => {
    const { request_uri, error } = await read(await server.fetch('/par', form(parametersWith(scope))));
    if (error) return error;
    return granted(`/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(request_uri) })}`);
  },
  'POST /token, refresh_token': async (scope) => {
    const { refresh_token } = await tokensFor(server, client, { scope: 'mcp:tools mcp:admin' });
    const answer = await read(await refresh(server, client, refresh_token, { scope }));
    return answer.error ?? answer.scope;
  },
  'POST /token, client_credentials': async (scope) => {
    const { client_id, client_secret } = JOB;
    const parameters = { grant_type: 'client_credentials', client_id, client_secret, scope };
    const answer = await read(await server.fetch('/token', form(parameters)));
    return answer.error ?? answer.scope;
  },
};

describe('RFC 6749 §3.3 extra blanks in a scope', () => {
  it.each(Object.keys(ENDPOINTS))('%s takes them as one blank, or as nothing at the ends', async (endpoint) => {
    const ask = ENDPOINTS[endpoint] ?? expect.unreachable(endpoint);
    expect(await ask(' mcp:tools   mcp:admin ')).toBe('mcp:tools mcp:admin');
  });

  it.each(Object.keys(ENDPOINTS))('%s takes a scope of blanks as none', async (endpoint) => {
    const ask = ENDPOINTS[endpoint] ?? expect.unreachable(endpoint);
    expect(await ask('  ')).toBe(endpoint.includes('refresh') ? 'mcp:tools mcp:admin' : 'mcp:tools');
  });
});
