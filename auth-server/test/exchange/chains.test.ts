/** Proves RFC 8693 for another MCP server of ours: whose token it is, who acts, and that it is never wider or longer than the first. */
import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXCHANGE_GRANT } from '../../src/clients/client.ts';
import { authorize, redeem, register, type TestClient, tokensFor } from '../support/client.ts';
import {
  ACCESS_TOKEN,
  BILLING,
  exchange,
  LEDGER,
  otherPair,
  pair,
  proofOf,
  startExchange,
} from '../support/exchange.ts';
import { form, MCP, type RunningServer, read } from '../support/running-server.ts';
import { referenceOf } from '../support/token-status.ts';

let server: RunningServer;
let client: TestClient;
beforeAll(async () => {
  server = await startExchange({ env: { TOKEN_CLAIMS: 'email' } });
  client = await register(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const tokenFor = async (scope = 'mcp:tools mcp:admin', person = 'alice') => {
  const { code } = await authorize(server, client, { scope, resource: MCP }, { person });
  return String((await read(await redeem(server, client, code))).access_token);
};
const BILLING_SERVER = { id: 'billing-server', key: otherPair };

describe('RFC 8693 a token for another MCP server', () => {
  it('§2.2.1, §4.1 the new token is one of the person, of the client that acts, for the other server, and no refresh token', async () => {
    const token = await tokenFor();
    const response = await exchange(server, token);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const answer = await read(response);
    expect(answer).toEqual({
      access_token: expect.any(String),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'mcp:tools',
      resource: BILLING,
    });
    const [before, after] = [decodeJwt(token), decodeJwt(String(answer.access_token))];
    expect(after).toEqual({
      jti: expect.any(String),
      iss: before.iss,
      sub: before.sub,
      iat: expect.any(Number),
      exp: expect.any(Number),
      aud: BILLING,
      client_id: 'mcp-server',
      scope: 'mcp:tools',
      act: { sub: 'mcp-server' },
      status: before.status,
      first_client_id: client.id,
    });
    expect(after.jti).not.toBe(before.jti);
    // The person has approved it for the first server, and was not asked for the other one.
    expect(before.email).toBe('alice@acme.example');
  });

  it('§2.1 the new token lives no longer than the subject token, and the answer says how long', async () => {
    const token = await tokenFor();
    const answer = await read(await exchange(server, token));
    const { exp = 0, iat = 0 } = decodeJwt(String(answer.access_token));
    expect(exp).toBeLessThanOrEqual(Number(decodeJwt(token).exp));
    expect(answer.expires_in).toBe(exp - iat);
  });

  it('§2.1 the new scopes are in the request, in the subject token and in the policy', async () => {
    const token = await tokenFor('mcp:tools mcp:admin');
    const ask = async (scope: string) => {
      const answer = await read(await exchange(server, token, { scope }));
      return answer.scope ?? answer.error;
    };
    expect(await ask('mcp:tools mcp:admin billing:read unknown')).toBe('mcp:tools');
    expect(await ask('mcp:admin')).toBe('invalid_scope');
    expect(await ask('billing:read'), 'the subject token does not have it').toBe('invalid_scope');
  });

  it('RFC 8707 §2 the other server may be spelled in any way', async () => {
    const answer = await read(await exchange(server, await tokenFor(), { resource: 'https://BILLING.example/mcp/' }));
    expect(decodeJwt(String(answer.access_token)).aud).toBe(BILLING);
  });

  it('§4.1 a chain names all actors, the last one outermost, and is as long as the policy lets it be', async () => {
    const first = await read(await exchange(server, await tokenFor()));
    const second = await read(await exchange(server, first.access_token, { resource: LEDGER }, BILLING_SERVER));
    expect(decodeJwt(String(second.access_token))).toMatchObject({
      sub: decodeJwt(String(first.access_token)).sub,
      aud: LEDGER,
      client_id: 'billing-server',
      act: { sub: 'billing-server', act: { sub: 'mcp-server' } },
      first_client_id: client.id,
    });
    const short = {
      clients: [
        { client: 'billing-server', resource: BILLING, resources: [{ resource: LEDGER, scopes: ['mcp:tools'] }] },
      ],
    };
    await using strict = await startExchange({ policy: short });
    const stranger = await tokensFor(strict, await register(strict), { resource: BILLING });
    expect((await exchange(strict, stranger.access_token, { resource: LEDGER }, BILLING_SERVER)).status).toBe(200);
  });

  it('§4.1 a chain beyond maxDepth is refused', async () => {
    const resources = [{ resource: LEDGER, scopes: ['mcp:tools'] }];
    const policy = {
      clients: [
        { client: 'mcp-server', resource: MCP, resources: [{ resource: BILLING, scopes: ['mcp:tools'] }] },
        { client: 'billing-server', resource: BILLING, resources, maxDepth: 1 },
      ],
    };
    await using strict = await startExchange({ policy });
    const { access_token } = await tokensFor(strict, await register(strict));
    const first = await read(await exchange(strict, access_token));
    const refused = await exchange(strict, first.access_token, { resource: LEDGER }, BILLING_SERVER);
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_target']);
    expect(strict.entries.at(-1)).toMatchObject({
      event: 'exchange.refused',
      reason: expect.stringContaining('maxDepth is 1'),
    });
  });

  it('RFC 9449 §5 a bound token gives a token that is bound to the key of the client, and none without a proof', async () => {
    const { code } = await authorize(server, client, { scope: 'mcp:tools', resource: MCP });
    const body = { grant_type: 'authorization_code', client_id: client.id, redirect_uri: client.redirectUri, code };
    const request = form({ ...body, code_verifier: 'a-code-verifier-that-is-long-enough-for-rfc-7636-4.1' });
    const bound = await read(await server.fetch('/token', { ...request, headers: { dpop: await proofOf(otherPair) } }));
    expect(bound.token_type).toBe('DPoP');

    const bare = await exchange(server, bound.access_token);
    expect([bare.status, (await read(bare)).error]).toEqual([400, 'invalid_dpop_proof']);
    const answer = await read(
      await exchange(server, bound.access_token, {}, { headers: { dpop: await proofOf(pair) } }),
    );
    expect(answer.token_type).toBe('DPoP');
    expect(decodeJwt(String(answer.access_token)).cnf).toEqual({
      jkt: await calculateJwkThumbprint(await exportJWK(pair.publicKey)),
    });
  });

  it('RFC 9449 §11.1 a proof is accepted once', async () => {
    const token = await tokenFor();
    const dpop = await proofOf(pair);
    expect((await exchange(server, token, {}, { headers: { dpop } })).status).toBe(200);
    const again = await exchange(server, token, {}, { headers: { dpop } });
    expect([again.status, (await read(again)).error]).toEqual([400, 'invalid_dpop_proof']);
  });

  it('the status reference is that of the approval, so that its end reaches every token of the chain', async () => {
    const { code } = await authorize(server, client, { scope: 'mcp:tools', resource: MCP });
    const tokens = await read(await redeem(server, client, code));
    const first = await read(await exchange(server, tokens.access_token));
    expect(referenceOf(first.access_token)).toEqual(referenceOf(tokens.access_token));
    await server.fetch('/revoke', form({ client_id: client.id, token: String(tokens.refresh_token) }));
    const next = await exchange(server, first.access_token, { resource: LEDGER }, BILLING_SERVER);
    expect([next.status, (await read(next)).error]).toEqual([400, 'invalid_request']);
    expect(server.entries.at(-1)).toMatchObject({ reason: expect.stringContaining('its approval has ended') });
  });
});

describe('what an exchange leaves', () => {
  it('the audit names the person, the client, whose token it was and who acts, and the log has no token', async () => {
    const token = await tokenFor();
    const answer = await read(await exchange(server, token));
    expect(server.entries.at(-1)).toMatchObject({
      event: 'token.exchanged',
      outcome: 'ok',
      who: decodeJwt(token).sub,
      client: 'mcp-server',
      resource: BILLING,
      details: {
        grantType: EXCHANGE_GRANT,
        scope: 'mcp:tools',
        target: `resource ${BILLING}`,
        subjectClient: client.id,
        actors: ['mcp-server'],
      },
    });
    const left = JSON.stringify([server.log, server.entries]);
    for (const secret of [token, String(answer.access_token)]) {
      expect(left).not.toContain(secret);
      expect(left).not.toContain(secret.split('.')[2]);
    }
  });

  it('RFC 8414 §2 the metadata names the grant only where there is a policy', async () => {
    const grants = async (at: RunningServer) =>
      (await read(await at.fetch('/.well-known/oauth-authorization-server'))).grant_types_supported;
    expect(await grants(server)).toContain(EXCHANGE_GRANT);
    await using closed = await startExchange({ env: { EXCHANGE_POLICY: '', CLIENTS: '[]' } });
    expect(await grants(closed)).not.toContain(EXCHANGE_GRANT);
    const refused = await closed.fetch('/token', form({ grant_type: EXCHANGE_GRANT, client_id: client.id }));
    expect(refused.status).toBe(401);
  });
});
