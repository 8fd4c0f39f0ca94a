/**
 * Proves what clients notice of the issuer's keys: rotation, revocation, and an authorization server that is
 * unavailable.
 */
import { describe, expect, it } from 'vitest';
import { type Harness, PING, post, startHarness } from '../../support/http-harness.ts';
import { signingKey, signToken } from '../../support/issuer.ts';

const jwksRequests = ({ issuer }: Harness): number => issuer.requests.filter((path) => path === '/jwks').length;
const call = async (server: Harness, token: string): Promise<number> =>
  (await server.fetch('/mcp', post(token, PING))).status;

describe('RFC 7517 §5 the key set', () => {
  it('the key set is fetched once for many concurrent requests', async () => {
    await using server = await startHarness();
    const tokens = await Promise.all(['a', 'b', 'c', 'd'].map((sub) => server.token({ sub })));
    expect(await Promise.all(tokens.map((token) => call(server, token)))).toEqual([200, 200, 200, 200]);
    expect(jwksRequests(server)).toBe(1);
  });

  it('the key set is fetched again for a new key, so that a rotation goes unnoticed', async () => {
    await using server = await startHarness();
    await call(server, await server.token());
    const next = await signingKey('key-2');
    server.issuer.keys.push(next.publicJwk);
    server.clock.advance(31);
    expect(await call(server, await signToken({ key: next, claims: server.claims() }))).toBe(200);
  });

  it('the key set is fetched at most once in 30 seconds, whatever key ids are invented', async () => {
    await using server = await startHarness();
    await call(server, await server.token());
    server.clock.advance(31);
    for (const kid of ['x', 'y', 'z']) {
      const key = await signingKey(kid);
      expect(await call(server, await signToken({ key, claims: server.claims() }))).toBe(401);
    }
    expect(jwksRequests(server)).toBe(2);
  });

  it('the withdrawal of a key invalidates its tokens, even recently verified ones', async () => {
    await using server = await startHarness();
    const token = await server.token();
    expect(await call(server, token)).toBe(200);
    const next = await signingKey('key-2');
    server.issuer.keys.splice(0, 1, next.publicJwk);
    server.clock.advance(31);
    expect(await call(server, await signToken({ key: next, claims: server.claims() }))).toBe(200);
    expect(await call(server, token)).toBe(401);
  });
});

describe('an authorization server outage', () => {
  it('tokens of known keys stay valid during an outage', async () => {
    await using server = await startHarness();
    await call(server, await server.token());
    server.issuer.up = false;
    server.clock.advance(3_600);
    expect(await call(server, await server.token({ sub: 'person-2' }))).toBe(200);
  });

  it('a token whose key set was never fetched is answered with 503 and Retry-After, not as a bad token', async () => {
    await using server = await startHarness();
    server.issuer.up = false;
    const token = await server.token();
    const response = await server.fetch('/mcp', post(token, PING));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('www-authenticate')).toBeNull();

    server.issuer.up = true;
    server.clock.advance(1);
    expect(await call(server, token)).toBe(200);
  });
});
