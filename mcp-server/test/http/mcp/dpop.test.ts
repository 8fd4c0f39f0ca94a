/**
 * Proves DPoP at this resource over real HTTP (RFC 9449 §7): valid proofs are accepted once, and a bound token is never
 * accepted as a bearer token.
 */
import { createHmac } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seal } from '../../../src/keys/seal.ts';
import { sharedKeys } from '../../../src/keys/sealing-keys.ts';
import { memoryKeyRecord } from '../../../src/storage/memory/key-record.ts';
import { memoryReplayMemory } from '../../../src/storage/memory/replay-memory.ts';
import { type Harness, PING, post, readChallenge, startHarness } from '../../support/http-harness.ts';
import { type KeyHolder, keyHolder, type ProofOptions } from '../../support/proof.ts';

const ALGORITHMS = 'ES256 ES384 Ed25519 EdDSA PS256 RS256';

let client: KeyHolder;
let stranger: KeyHolder;
let server: Harness;
beforeAll(async () => {
  [client, stranger, server] = [await keyHolder(), await keyHolder(), await startHarness()];
});
beforeEach(() => {
  server.ran.length = 0;
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const now = (at = server): number => at.clock.now() / 1000;
const boundToken = (at = server, holder = client): Promise<string> => at.token({ cnf: { jkt: holder.thumbprint } });

type Change = Omit<Partial<ProofOptions>, 'token'> & { readonly at?: Harness; readonly by?: KeyHolder };

const proofFor = (token: string, { at = server, by = client, ...change }: Change = {}): Promise<string> =>
  by.prove({ token, url: `${at.url}/mcp`, now: now(at), ...change });

const send = (token: string, proof: string | undefined, { at = server, path = '/mcp', scheme = 'DPoP' } = {}) =>
  at.fetch(path, post('', PING, { authorization: `${scheme} ${token}`, ...(proof !== undefined && { dpop: proof }) }));

/** A call with a valid token and proof, apart from the given change. */
async function call(change: Change = {}): Promise<Response> {
  const token = await boundToken(change.at);
  return send(token, await proofFor(token, change), change);
}

describe('RFC 9449 §7.1 a token with its proof', () => {
  it('a bound token with its proof is accepted, and the principal has the key', async () => {
    expect((await call()).status).toBe(200);
    expect(server.ran).toMatchObject([{ subject: 'person-1', keyThumbprint: client.thumbprint }]);
  });

  it.each(['ES384', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])(
    'a proof with a key for %s is accepted',
    async (algorithm) => {
      const by = await keyHolder(algorithm);
      const token = await boundToken(server, by);
      expect((await send(token, await proofFor(token, { by }))).status).toBe(200);
    },
  );

  it('each request needs a new proof, for its own path and method', async () => {
    const token = await boundToken();
    for (const [method, path] of [['POST', '/messages'], ['POST', '/sse'], ['GET', '/mcp'], ['DELETE', '/mcp']] as const) {
      const proof = await proofFor(token, { method, url: `${server.url}${path}` });
      const init = method === 'POST' ? post('', PING) : { method };
      const headers = { ...init.headers, authorization: `dpop ${token}`, dpop: proof };
      expect((await server.fetch(`${path}?sessionId=1`, { ...init, headers })).status).toBe(200);
    }
  }); // biome-ignore format: one list

  it('MCP scope challenge handling: a missing scope is challenged with the scheme DPoP', async () => {
    const token = await boundToken();
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'status' } };
    const headers = { authorization: `DPoP ${token}`, dpop: await proofFor(token) };
    const response = await server.fetch('/mcp', post('', message, headers));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP /);
    expect(readChallenge(response, 'DPoP')).toMatchObject({
      error: 'insufficient_scope',
      scope: 'mcp:admin mcp:tools',
    });
  });
});

const unsigned = async (token: string): Promise<string> => {
  const [, payload] = (await proofFor(token)).split('.');
  const header = { alg: 'none', typ: 'dpop+jwt', jwk: client.publicJwk };
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.`;
};

/** The public key as the secret of an HMAC. */
const withHmac = async (token: string): Promise<string> => {
  const [, payload] = (await proofFor(token)).split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'dpop+jwt', jwk: client.publicJwk }));
  const input = `${header.toString('base64url')}.${payload}`;
  return `${input}.${createHmac('sha256', JSON.stringify(client.publicJwk)).update(input).digest('base64url')}`;
};

const altered = async (token: string): Promise<string> => {
  const [header, , signature] = (await proofFor(token)).split('.');
  const [, payload] = (await proofFor(token)).split('.');
  return `${header}.${payload}.${signature}`;
};

const changed =
  (change: Change) =>
  (token: string): Promise<string> =>
    proofFor(token, change);
const claim = (claims: Record<string, unknown>) => changed({ claims });
const header = (members: Record<string, unknown>) => changed({ header: members });

const bad: Record<string, [reason: string, proof: (token: string) => Promise<string | undefined> | string | undefined]> = {
  'no proof at all': ['proof_missing', () => undefined],
  'check 1: two proofs': ['proof_malformed', async (token) => `${await proofFor(token)}, ${await proofFor(token)}`],
  'check 2: no JWT': ['proof_malformed', () => 'garbage'],
  'check 2: three parts of garbage': ['proof_malformed', () => 'a.b.c'],
  'more than 4 KiB': ['proof_malformed', claim({ padding: 'x'.repeat(5_000) })],
  'check 3: no jti': ['proof_malformed', claim({ jti: undefined })],
  'check 3: no htm': ['proof_method', claim({ htm: undefined })],
  'check 3: no htu': ['proof_malformed', claim({ htu: undefined })],
  'check 3: no iat': ['proof_malformed', claim({ iat: undefined })],
  'check 3: iat as text': ['proof_malformed', claim({ iat: '1' })],
  'check 3: no ath': ['proof_of_another_token', claim({ ath: undefined })],
  'check 4: another type': ['proof_type', header({ typ: 'JWT' })],
  'check 5: alg none': ['proof_malformed', unsigned],
  'check 5: the public key as a secret': ['proof_algorithm', withHmac],
  'check 6: a signature that does not match': ['proof_signature', altered],
  'check 6: no key': ['proof_key', header({ jwk: undefined })],
  'check 6: an invalid key': ['proof_key', header({ jwk: { kty: 'EC' } })],
  'check 6: an unknown critical header': ['proof_signature', async (token) => {
    const [, payload, signature] = (await proofFor(token)).split('.');
    const head = { alg: 'ES256', typ: 'dpop+jwt', jwk: client.publicJwk, crit: ['unheard-of'], 'unheard-of': 1 };
    return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${payload}.${signature}`;
  }],
  'check 7: the private key': ['proof_key', async (token) => proofFor(token, { header: { jwk: await exportJWK(client.privateKey) } })],
  'check 8: another method': ['proof_method', claim({ htm: 'GET' })],
  'check 8: the method in another case': ['proof_method', claim({ htm: 'post' })],
  'check 9: another path': ['proof_url', (token) => proofFor(token, { url: `${server.url}/sse` })],
  'check 9: another host': ['proof_url', changed({ url: 'https://evil.example/mcp' })],
  'check 9: a longer path': ['proof_url', (token) => proofFor(token, { url: `${server.url}/mcp/` })],
  'check 9: no URL': ['proof_url', changed({ url: '/mcp' })],
  'check 9: a user name before the host': ['proof_url', (token) => proofFor(token, { url: `${server.url.replace('//', '//a@')}/mcp` })],
  'check 12: another token': ['proof_of_another_token', claim({ ath: 'x' })],
}; // biome-ignore format: one table

describe('RFC 9449 §4.3 a proof', () => {
  it.each(Object.entries(bad))('a proof is refused: %s', async (_, [reason, proof]) => {
    const token = await boundToken();
    const shown = await proof(token);
    const response = await send(token, shown);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP /);
    expect(readChallenge(response, 'DPoP')).toEqual({
      resource_metadata: `${server.url}/.well-known/oauth-protected-resource/mcp`,
      scope: 'mcp:tools',
      error: 'invalid_dpop_proof',
      error_description: 'Unauthorized: the DPoP proof is not one for this request.',
      algs: ALGORITHMS,
    });
    expect(server.ran).toEqual([]);
    expect(server.log.join('')).toContain(`"reason":"${reason}"`);
    for (const secret of [token, shown]) if (secret) expect(server.log.join('')).not.toContain(secret);
  });

  it("check 9: a proof's URL is compared in normal form (RFC 3986 §6.2.2, §6.2.3), without its query", async () => {
    await using at = await startHarness({ publicUrl: 'https://mcp.example.com', allowedHosts: ['127.0.0.1'] });
    for (const url of ['https://MCP.example.com:443/mcp', 'HTTPS://mcp.example.com/x/../mcp?a=b#c']) {
      expect((await call({ at, url })).status).toBe(200);
    }
    expect((await call({ at, url: 'http://mcp.example.com/mcp' })).status).toBe(401);
  });

  it('check 11: a proof is accepted for a minute, and from a clock that is slightly fast', async () => {
    expect((await call({ now: now() - 60 })).status).toBe(200);
    expect((await call({ now: now() + 5 })).status).toBe(200);
  });

  it('check 12 and §7.1: a proof must be of the key that the token is bound to', async () => {
    const token = await boundToken();
    const response = await send(token, await proofFor(token, { by: stranger }));
    expect(response.status).toBe(401);
    expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'invalid_token', algs: ALGORITHMS });
    expect(server.log.join('')).toContain('"reason":"bound_to_another_key"');
    expect(server.log.join('')).toContain('"security":true');
  });
});

describe('RFC 9449 §7.2 the scheme of a token', () => {
  it('a request without a token is offered both schemes, Bearer first', async () => {
    const response = await server.fetch('/mcp');
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer resource_metadata="[^"]+", scope="mcp:tools", DPoP /,
    );
    expect(readChallenge(response, 'DPoP')).toEqual({ ...readChallenge(response), algs: ALGORITHMS });
  });

  it('a bound token is refused with the scheme Bearer, even beside a proof', async () => {
    const token = await boundToken();
    for (const proof of [undefined, await proofFor(token)]) {
      const response = await send(token, proof, { scheme: 'Bearer' });
      expect(response.status).toBe(401);
      expect(readChallenge(response)).toMatchObject({ error: 'invalid_token' });
      expect(readChallenge(response, 'DPoP')).toEqual(expect.objectContaining({ algs: ALGORITHMS }));
    }
    expect(server.ran).toEqual([]);
  });

  it('a bound token in the cache is refused with the scheme Bearer, too', async () => {
    const token = await boundToken();
    expect((await send(token, await proofFor(token))).status).toBe(200);
    expect((await send(token, undefined, { scheme: 'Bearer' })).status).toBe(401);
  });

  it('an unbound token is refused with a proof', async () => {
    const token = await server.token();
    const response = await send(token, await proofFor(token));
    expect(response.status).toBe(401);
    expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'invalid_token' });
    expect(server.log.join('')).toContain('"reason":"not_bound"');
  });

  it.each([
    { 'x5t#S256': 'certificate' }, { jkt: 1 }, { jkt: 'a', 'x5t#S256': 'b' }, {}, 'text', null, [],
  ])('RFC 8705 §3: a token bound in an unknown way is refused with both schemes: %j', async (cnf) => {
    const token = await server.token({ cnf });
    for (const scheme of ['Bearer', 'DPoP']) {
      expect((await send(token, await proofFor(token), { scheme })).status).toBe(401);
    }
    expect(server.log.join('')).toContain('"reason":"sender_constrained"');
  }); // biome-ignore format: one list

  it('RFC 8705 §3: a token that is also bound to a certificate is refused with its key alone', async () => {
    const token = await server.token({ cnf: { jkt: client.thumbprint, 'x5t#S256': 'certificate' } });
    expect((await send(token, await proofFor(token))).status).toBe(401);
  });

  it('an expired bound token is reported as invalid_token', async () => {
    const token = await server.token({ cnf: { jkt: client.thumbprint }, exp: now() - 60 });
    const response = await send(token, await proofFor(token));
    expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'invalid_token' });
  });

  it('RFC 9728 §2 dpop_bound_access_tokens_required: a bearer token is refused, and Bearer is not offered', async () => {
    await using at = await startHarness({ dpopRequired: true });
    const document = await (await at.fetch('/.well-known/oauth-protected-resource/mcp')).json();
    expect(document).toMatchObject({ dpop_bound_access_tokens_required: true });
    const answers = [await at.fetch('/mcp'), await at.fetch('/mcp', post(await at.token(), PING))];
    for (const { status, headers } of answers) {
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^DPoP [^,]+(, [a-z_]+="[^"]*")+$/);
    }
    expect((await call({ at })).status).toBe(200);
    expect(at.ran).toHaveLength(1);
  });
});

describe('RFC 9449 §11.1 single use of a proof', () => {
  it('exactly one of many requests with one proof is accepted, and the others are security events', async () => {
    const token = await boundToken();
    const proof = await proofFor(token);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(token, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(server.ran).toHaveLength(1);
    expect(server.log.filter((line) => line.includes('"security":true'))).toHaveLength(9);
  });

  it('a proof used at one replica is refused at another', async () => {
    const replays = memoryReplayMemory(new FakeClock());
    await using first = await startHarness({ replays });
    await using second = await startHarness({ replays });
    const claims = { jti: 'the same' };
    expect((await call({ at: first, claims })).status).toBe(200);
    expect((await call({ at: second, claims })).status).toBe(401);
    expect(second.log.join('')).toContain('proof_used_twice');
  });

  it('another key cannot use up the jti of a proof', async () => {
    const jti = 'chosen-by-both';
    const [own, foreign] = [await boundToken(), await boundToken(server, stranger)];
    const taken = await proofFor(foreign, { by: stranger, claims: { jti } });
    expect((await send(foreign, taken)).status).toBe(200);
    expect((await send(own, await proofFor(own, { claims: { jti } }))).status).toBe(200);
  });

  it('a refused proof is not used up', async () => {
    const token = await boundToken();
    const proof = await proofFor(token);
    expect((await send(token, proof, { path: '/sse' })).status).toBe(401);
    expect((await send(token, proof)).status).toBe(200);
  });

  it('a proof is answered with 503 while its single use cannot be checked, and nothing runs', async () => {
    const replays = { firstUse: () => Promise.reject(new Error('Redis is away')) };
    await using at = await startHarness({ replays });
    const response = await call({ at });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(at.ran).toEqual([]);
    expect((await at.fetch('/mcp', post(await at.token(), PING))).status).toBe(200);
  });
});

describe('RFC 9449 §9 nonces', () => {
  const nonceOf = (response: Response): string => response.headers.get('dpop-nonce') ?? '';
  const withNonce = (nonce: unknown, change: Change = {}) => call({ ...change, claims: { nonce } });

  it.each([-3_600, -66, 6, 3_600])(
    'a client whose clock is %d s off gets a nonce, and is accepted with it',
    async (off) => {
      const response = await call({ now: now() + off });
      expect(response.status).toBe(401);
      expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'use_dpop_nonce' });
      expect(await response.json()).toMatchObject({ error: 'use_dpop_nonce' });
      expect((await withNonce(nonceOf(response), { now: now() + off })).status).toBe(200);
    },
  );

  it('DPOP_NONCE_REQUIRED demands a nonce in every proof', async () => {
    await using at = await startHarness({ dpopNonceRequired: true });
    const response = await call({ at });
    expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'use_dpop_nonce' });
    expect((await withNonce(nonceOf(response), { at })).status).toBe(200);
    expect(at.ran).toHaveLength(1);
  });

  it('§8.2 the next nonce is sent before the last one expires, with a successful answer', async () => {
    await using at = await startHarness({ dpopNonceRequired: true });
    const first = nonceOf(await call({ at }));
    const early = await withNonce(first, { at });
    expect([early.status, nonceOf(early)]).toEqual([200, '']);
    at.clock.advance(200);
    const late = await withNonce(first, { at });
    expect(late.status).toBe(200);
    expect(nonceOf(late)).not.toBe('');
    at.clock.advance(100);
    expect((await withNonce(nonceOf(late), { at })).status).toBe(200);
    const over = await withNonce(first, { at });
    expect(readChallenge(over, 'DPoP')).toMatchObject({ error: 'use_dpop_nonce' });
  });

  it("an invented nonce is refused with a valid one, whatever the proof's time", async () => {
    for (const nonce of ['made-up', 'a.b', '']) {
      const response = await withNonce(nonce);
      expect(readChallenge(response, 'DPoP')).toMatchObject({ error: 'use_dpop_nonce' });
    }
    expect((await withNonce(1)).status).toBe(401);
    expect(server.ran).toEqual([]);
  });

  it('a text that this server sealed for another purpose is no nonce', async () => {
    const keys = sharedKeys(memoryKeyRecord(), new FakeClock());
    await using at = await startHarness({ keys });
    const other = await seal(keys, String(at.clock.now()), 'request state');
    expect(readChallenge(await withNonce(other, { at }), 'DPoP')).toMatchObject({ error: 'use_dpop_nonce' });
  });

  it('a nonce is valid at every replica with the same keys, also after a restart', async () => {
    const clock = new FakeClock();
    const keys = sharedKeys(memoryKeyRecord(), clock);
    await using first = await startHarness({ keys, dpopNonceRequired: true });
    await using second = await startHarness({ keys, dpopNonceRequired: true });
    const nonce = nonceOf(await call({ at: first }));
    expect((await withNonce(nonce, { at: second })).status).toBe(200);
  });

  it('a proof with a nonce is remembered as long as the nonce is valid', async () => {
    const nonce = nonceOf(await call({ now: 0 }));
    const token = await boundToken();
    const proof = await proofFor(token, { claims: { nonce } });
    expect((await send(token, proof)).status).toBe(200);
    server.clock.advance(299);
    expect((await send(token, proof)).status).toBe(401);
    expect(server.log.join('')).toContain('proof_used_twice');
  });

  it('a web page may send a proof and read the nonce', async () => {
    const origin = 'http://localhost:6274';
    const preflight = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };
    const asked = await server.fetch('/mcp', { method: 'OPTIONS', headers: preflight });
    expect(asked.headers.get('access-control-allow-headers')?.toLowerCase().split(',')).toContain('dpop');
    const answer = await server.fetch('/mcp', { headers: { origin } });
    expect(answer.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
  });
});
