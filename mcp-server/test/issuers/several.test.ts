/**
 * Proves that several issuers share one resource and nothing else: no key, session, allowance or outage of one counts for another; and
 * what clients and operators are told about them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { bearer, post } from '../support/http-harness.ts';
import { type SigningKey, signingKey, signToken } from '../support/issuer.ts';
import { initialize, request } from '../support/protocol-harness.ts';

let people: Foreign;
let machines: Foreign;
let server: ForeignServer;
beforeAll(async () => {
  // Both name their key alike, as many issuers do.
  [people, machines] = await Promise.all([startForeign(), startForeign()]);
});
beforeEach(async () => {
  [people.issuer.up, machines.issuer.up] = [true, true];
  await server?.[Symbol.asyncDispose]();
  server = await startServer(settings());
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await Promise.all([people.issuer.close(), machines.issuer.close()]);
});

const settings = (more: Readonly<Record<string, string>> = {}) => ({
  ISSUERS: 'people,machines',
  ISSUER_PEOPLE_URL: people.issuer.url,
  ISSUER_MACHINES_URL: machines.issuer.url,
  ISSUER_MACHINES_ANNOUNCED: 'false',
  ISSUER_MACHINES_TOKEN_TYPES: 'JWT',
  MAX_SESSIONS_PER_PRINCIPAL: '1',
  ...more,
});

const claims = (issuer: string, more = {}) => {
  const now = server.clock.now() / 1000;
  return {
    iss: issuer,
    aud: `${server.url}/mcp`,
    sub: 'ada',
    client_id: 'desk',
    scope: 'mcp:tools',
    exp: now + 600,
    ...more,
  };
};
const ofPeople = (more = {}, key: SigningKey = people.key) =>
  signToken({ key, claims: claims(people.issuer.url, more) });
const ofMachines = (more = {}, key: SigningKey = machines.key) =>
  signToken({ key, claims: claims(machines.issuer.url, more), header: { typ: 'JWT' } });

const mcp = (token: string, message: object, session?: string) =>
  server.fetch(
    '/mcp',
    post(token, message, {
      accept: 'application/json, text/event-stream',
      ...(session && { 'mcp-session-id': session }),
    }),
  );
const open = async (token: string) => {
  const response = await mcp(token, initialize('2025-11-25'));
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
};

describe('the tokens of several issuers', () => {
  it('RFC 9068 §4 each token is checked by the rules of its own issuer', async () => {
    expect(await server.whoami(await ofPeople())).toMatchObject({ subject: 'ada', issuer: people.issuer.url });
    expect(await server.whoami(await ofMachines())).toMatchObject({ subject: 'ada', issuer: machines.issuer.url });
    const untyped = await signToken({ key: people.key, claims: claims(people.issuer.url), header: { typ: 'JWT' } });
    expect(await server.whoami(untyped)).toMatchObject({
      reason: 'wrong_type',
      setting: 'ISSUER_PEOPLE_TOKEN_TYPES',
    });
    expect(await server.whoami(await ofMachines({ aud: 'x' }))).toMatchObject({
      reason: 'wrong_audience',
      setting: 'ISSUER_MACHINES_AUDIENCES',
    });
    expect(await server.whoami(await ofPeople({ iss: 'https://evil.example' }))).toMatchObject({
      reason: 'wrong_issuer',
      setting: 'ISSUERS',
      expected: [people.issuer.url, machines.issuer.url],
    });
  });

  it('RFC 7519 §4.1.4 a token that would never expire is refused: its exp is after the year 9999', async () => {
    for (const exp of [2 ** 63, 1e308])
      expect(await server.whoami(await ofPeople({ exp }))).toMatchObject({ reason: 'missing_claim', claim: 'exp' });
    const last = 253_402_300_799;
    expect(await server.whoami(await ofPeople({ exp: last }))).toMatchObject({
      expires_at: '9999-12-31T23:59:59.000Z',
    });
  });

  it('the log says what to change by the variables of the issuer of the token', async () => {
    const mend = (text: string) => ({ mend: expect.stringContaining(text) });
    expect(await server.whoami(await ofMachines({ aud: 'x' }))).toMatchObject(mend('`ISSUER_MACHINES_AUDIENCES`'));
    expect(await server.whoami(await ofPeople({ sub: 5 }))).toMatchObject(mend('`ISSUER_PEOPLE_TOKEN_SUBJECT_CLAIMS`'));
    const lacking = await server.whoami(await ofMachines({ scope: 'x' }));
    expect(lacking).toMatchObject({ status: 403, ...mend('`ISSUER_MACHINES_TOKEN_SCOPE_CLAIMS`') });
    machines.issuer.up = false;
    await server[Symbol.asyncDispose]();
    server = await startServer(settings());
    expect(await server.whoami(await ofMachines())).toMatchObject(mend('`ISSUER_MACHINES_JWKS_URL`'));
  });

  it('CWE-347 a key of one issuer signs nothing for another, though both have the same key id', async () => {
    expect(await server.whoami(await ofPeople({}, machines.key))).toMatchObject({ reason: 'bad_signature' });
    expect(await server.whoami(await ofMachines({}, people.key))).toMatchObject({ reason: 'bad_signature' });
    // Known by now, and still not taken for the other one.
    expect(await server.whoami(await ofPeople())).toMatchObject({ issuer: people.issuer.url });
    expect(await server.whoami(await ofMachines({}, people.key))).toMatchObject({ reason: 'bad_signature' });
  });

  it('MCP 2025-11-25 §2.4 a session belongs to the issuer of its owner, besides subject and client', async () => {
    const session = await open(await ofPeople());
    expect((await mcp(await ofPeople({ jti: 'another token' }), request(1, 'ping'), session)).status).toBe(200);
    expect((await mcp(await ofMachines(), request(2, 'ping'), session)).status).toBe(404);
    expect((await mcp(await ofPeople({ client_id: 'phone' }), request(3, 'ping'), session)).status).toBe(404);
    expect((await mcp(await ofPeople({ sub: 'bob' }), request(4, 'ping'), session)).status).toBe(404);
  });

  it('RFC 7517 §4.5 a key that is not found is refused with the setting that says where the keys of its issuer are', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer(settings({ ISSUER_MACHINES_JWKS_URL: `${machines.issuer.url}/jwks` }));
    const other = await signingKey('key-2', 'RS256');
    const unknown = { status: 401, reason: 'unknown_key', found: 'key-2' };
    expect(await server.whoami(await ofPeople({}, other))).toMatchObject({ ...unknown, setting: 'ISSUER_PEOPLE_URL' });
    const there = { ...unknown, setting: 'ISSUER_MACHINES_JWKS_URL' };
    expect(await server.whoami(await ofMachines({}, other))).toMatchObject(there);
  });

  it('the log names the issuer of each request, as a subject may be another person there', async () => {
    const logged = async (token: string) => {
      await server.whoami(token);
      const line = () => server.log.find((text) => text.includes('"msg":"request"'));
      await expect.poll(line).toBeDefined();
      return JSON.parse(line() ?? '');
    };
    expect(await logged(await ofPeople())).toMatchObject({ subject: 'ada', issuer: people.issuer.url });
    expect(await logged(await ofMachines())).toMatchObject({ subject: 'ada', issuer: machines.issuer.url });
    await server[Symbol.asyncDispose]();
    server = await startServer({ ISSUER: people.issuer.url });
    expect(await logged(await ofPeople())).not.toHaveProperty('issuer');
  });

  it('CWE-770 the limits of one person do not count for the same subject of another issuer', async () => {
    const session = await open(await ofPeople());
    const stream = await server.fetch('/mcp', {
      headers: { ...bearer(await ofPeople()), accept: 'text/event-stream', 'mcp-session-id': session },
    });
    expect((await mcp(await ofPeople(), initialize('2025-11-25'))).status, 'MAX_SESSIONS_PER_PRINCIPAL').toBe(429);
    expect(await open(await ofMachines())).not.toBe('');
    await stream.body?.cancel();
  });

  it('a session without a client belongs to issuer and subject (TOKEN_CLIENT_CLAIMS=none)', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer(settings({ ISSUER_MACHINES_TOKEN_CLIENT_CLAIMS: 'none' }));
    const session = await open(await ofMachines({ client_id: undefined }));
    expect((await mcp(await ofMachines({ client_id: 'any' }), request(1, 'ping'), session)).status).toBe(200);
    expect((await mcp(await ofMachines({ sub: 'bob' }), request(2, 'ping'), session)).status).toBe(404);
    expect((await mcp(await ofPeople(), request(3, 'ping'), session)).status).toBe(404);
    const said = await server.whoami(await ofMachines());
    expect(said).toMatchObject({ subject: 'ada' });
    expect(said).not.toHaveProperty('client');
  });
});

describe('an outage of one of several issuers', () => {
  it('tokens of one issuer are accepted while the keys of another were never read', async () => {
    await server[Symbol.asyncDispose]();
    machines.issuer.up = false;
    server = await startServer(settings());
    expect(await server.whoami(await ofMachines())).toMatchObject({ status: 503, reason: 'keys_unavailable' });
    expect(await server.whoami(await ofPeople())).toMatchObject({ subject: 'ada' });
    expect((await server.fetch('/readyz')).status).toBe(200);
    machines.issuer.up = true;
    server.clock.advance(31);
    expect(await server.whoami(await ofMachines())).toMatchObject({ issuer: machines.issuer.url });
  });

  it('CWE-779 a request that waits for keys in vain leaves short lines with the reason, and no stack', async () => {
    await server[Symbol.asyncDispose]();
    machines.issuer.up = false;
    server = await startServer(settings());
    await server.whoami(await ofMachines());
    const lines = server.log.filter((line) => line.includes('keys_unavailable'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: 'request failed', cause: expect.stringMatching(/^there is no copy: .* answered 500/) },
    ]);
    expect(lines.join('').length).toBeLessThan(1_200);
    expect(lines.join('')).not.toContain('"stack"');
  });

  it('a gateway may send requests to a new replica once the keys of one issuer were read', async () => {
    machines.issuer.up = false;
    await server.prepare();
    const { issuers } = (await (await server.fetch('/readyz')).json()) as { issuers: unknown };
    expect(issuers).toEqual({ people: 'keys read', machines: 'keys not read' });
    // Ends the attempts at the other one.
    server.clock.advance(21);
  });

  it('the readiness probe and the metrics name the keys of each issuer', async () => {
    machines.issuer.up = false;
    await server.whoami(await ofPeople());
    await server.whoami(await ofMachines());
    expect(await (await server.fetch('/readyz')).json()).toEqual({
      status: 'ok',
      issuers: { people: 'keys read', machines: 'keys not read' },
    });
    expect(await (await server.fetch('/livez')).json()).toEqual({ status: 'ok' });
    const { values } = await server.scrape();
    expect(values.get('mcp_issuer_keys_read_timestamp_seconds{issuer="people"}')).toBe(server.clock.now() / 1000);
    expect(values.has('mcp_issuer_keys_read_timestamp_seconds{issuer="machines"}')).toBe(false);
    expect(values.get('mcp_issuer_fetch_failures_total{document="keys",issuer="machines"}')).toBe(1);
    expect(values.get('mcp_issuer_fetch_failures_total{document="keys",issuer="people"}')).toBeUndefined();
  });

  it.each(['first', 'second'])(
    'a withdrawn key of the %s issuer ends its tokens, and not those by a key of another with its id',
    async (which) => {
      const tokens = [await ofPeople(), await ofMachines()] as const;
      const [token, other] = which === 'first' ? tokens : (tokens.toReversed() as [string, string]);
      const [own, foreign] = which === 'first' ? [people, machines] : [machines, people];
      expect(await server.whoami(token)).toMatchObject({ subject: 'ada' });
      expect(await server.whoami(other)).toMatchObject({ subject: 'ada' });
      const kept = own.issuer.keys.splice(0, 1, { ...foreign.key.publicJwk });
      server.clock.advance(301);
      // The first request begins to read the keys again, and is answered by the ones that are known.
      await server.whoami(token);
      await expect.poll(async () => server.whoami(token)).toMatchObject({ reason: 'bad_signature' });
      expect(await server.whoami(other)).toMatchObject({ issuer: foreign.issuer.url });
      own.issuer.keys.splice(0, 1, ...kept);
    },
  );
});

describe('what clients learn of several issuers', () => {
  it('RFC 9728 §2 authorization_servers lists those that clients can use, in the order of ISSUERS', async () => {
    await server[Symbol.asyncDispose]();
    const third = await startForeign('/third');
    server = await startServer(settings({ ISSUERS: 'third,machines,people', ISSUER_THIRD_URL: third.issuer.url }));
    const document = await (await server.fetch('/.well-known/oauth-protected-resource/mcp')).json();
    expect(document).toMatchObject({ authorization_servers: [third.issuer.url, people.issuer.url] });
    const page = await (await server.fetch('/', { headers: { accept: 'text/html' } })).text();
    expect(page).toContain(people.issuer.url);
    expect(page).not.toContain(machines.issuer.url);
    await third.issuer.close();
  });

  it('MCP 2025-03-26 §2.3 discovery at this origin leads to the first issuer that clients can use', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer(settings({ ISSUERS: 'machines,people' }));
    const document = await (await server.fetch('/.well-known/oauth-authorization-server')).json();
    expect(document).toMatchObject({ issuer: people.issuer.url });
    const response = await server.fetch('/authorize?state=x');
    expect(response.headers.get('location')).toBe(`${people.issuer.url}/authorize?state=x`);
  });

  it('RFC 9728 §3.2 authorization_servers is absent if clients can use none, and so is discovery', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer(settings({ ISSUERS: 'machines' }));
    const document = await (await server.fetch('/.well-known/oauth-protected-resource/mcp')).json();
    expect(document).not.toHaveProperty('authorization_servers');
    expect((await server.fetch('/.well-known/oauth-authorization-server')).status).toBe(404);
    expect((await server.fetch('/authorize')).status).toBe(404);
    expect(await server.whoami(await ofMachines())).toMatchObject({ subject: 'ada' });
  });
});
