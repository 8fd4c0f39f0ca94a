/**
 * Proves that opaque tokens are accepted by what their issuer says, with the demands that a JWT has to meet, and that no token is sent
 * where it does not belong.
 */
import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { post } from '../support/http-harness.ts';
import { type AskedIssuer, activeAnswer, CLIENT, startAskedIssuer } from '../support/introspection-server.ts';
import { signToken } from '../support/issuer.ts';
import { keyHolder } from '../support/proof.ts';
import { headersOf, request } from '../support/stateless-harness.ts';

let issuer: AskedIssuer;
let server: ForeignServer;
beforeEach(async () => {
  issuer = await startAskedIssuer();
  server = await startServer(issuer.settings);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await issuer.close();
});

async function restart(settings: Readonly<Record<string, string>>): Promise<void> {
  await server[Symbol.asyncDispose]();
  server = await startServer({ ...issuer.settings, ...settings });
}

/** The answer about a good token. */
const active = (more: object = {}) =>
  activeAnswer(server, { iss: issuer.url, scope: 'mcp:tools profile', token_type: 'Bearer', ...more });

const WHOAMI = request('tools/call', { name: 'whoami', arguments: {} });
const call = (token: string, headers: Readonly<Record<string, string>> = {}) =>
  server.fetch('/mcp', post(token, WHOAMI, { ...headersOf(WHOAMI), ...headers }));

describe('an issuer without keys', () => {
  const issuers = async () => ((await (await server.fetch('/readyz')).json()) as { issuers: unknown }).issuers;

  it('the readiness probe says that its tokens are all opaque, and not that its keys were not read', async () => {
    const { jwks_uri: place, ...others } = issuer.metadata;
    issuer.metadata = others;
    await restart({});
    expect(await issuers()).toEqual({ default: 'keys not read' });
    await server.prepare();
    expect(await issuers()).toEqual({ default: 'no keys, opaque tokens only' });
    issuer.metadata = { ...others, jwks_uri: place };
    await restart({});
    await server.prepare();
    expect(await issuers()).toEqual({ default: 'keys read' });
  });
});

describe('an opaque token (RFC 7662)', () => {
  it('RFC 7662 §2.1 the issuer is asked with the credentials of this server, in the body of a POST', async () => {
    issuer.known.set('opaque', active());
    expect(await server.whoami('opaque')).toMatchObject({
      subject: 'ada',
      client: 'desk',
      scopes: ['mcp:tools', 'profile'],
      issuer: issuer.url,
    });
    const [question] = issuer.questions;
    expect(Object.fromEntries(question?.form ?? [])).toEqual({ token: 'opaque', token_type_hint: 'access_token' });
    const [id, secret] = Buffer.from(String(question?.headers.authorization).slice('Basic '.length), 'base64')
      .toString()
      .split(':');
    expect([id, secret].map((part) => new URLSearchParams(`v=${part}`).get('v'))).toEqual([CLIENT.id, CLIENT.secret]);
    expect(question?.headers.accept).toBe('application/json');
  });

  it('RFC 6749 §2.3.1 the credentials are in the body with client_secret_post', async () => {
    await restart({ INTROSPECTION_CLIENT_AUTH: 'client_secret_post' });
    issuer.known.set('opaque', active());
    await server.whoami('opaque');
    expect(issuer.questions[0]?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(issuer.questions[0]?.form ?? [])).toMatchObject({
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
    });
  });

  it('RFC 7523 §3 with private_key_jwt each question has an assertion of its own, for this issuer and a minute', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const auth = { INTROSPECTION_CLIENT_AUTH: 'private_key_jwt', INTROSPECTION_CLIENT_KEY: pem };
    await restart({ ...auth, INTROSPECTION_CLIENT_SECRET: '' });
    await server.whoami('first');
    await server.whoami('second');
    const ids = new Set();
    for (const { form, headers } of issuer.questions) {
      expect(headers.authorization).toBeUndefined();
      expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      const options = { algorithms: ['ES256'], currentDate: new Date(server.clock.now()) };
      const { payload } = await jwtVerify(form.get('client_assertion') ?? '', publicKey, options);
      const now = Math.floor(server.clock.now() / 1000);
      const { jti, ...claims } = payload;
      expect(claims).toEqual({ iss: CLIENT.id, sub: CLIENT.id, aud: issuer.url, iat: now, exp: now + 60 });
      ids.add(jti);
    }
    expect(ids.size).toBe(2);
  });

  it('a configured URL is asked without metadata', async () => {
    await restart({ INTROSPECTION_URL: `${issuer.url}/introspect` });
    issuer.metadata = {};
    issuer.known.set('opaque', active());
    expect(await server.whoami('opaque')).toMatchObject({ subject: 'ada' });
  });

  it.each<[string, object, object]>([
    ['names another audience', { aud: 'https://other.example' }, { reason: 'wrong_audience', claim: 'aud' }],
    ['names no audience', { aud: undefined }, { reason: 'no_audience', setting: 'AUDIENCES, AUDIENCE_CLAIM' }],
    ['names another issuer', { iss: 'https://other.example' }, { reason: 'wrong_issuer', claim: 'iss' }],
    ['has expired', { exp: 1 }, { reason: 'expired', claim: 'exp' }],
    ['has no expiry', { exp: undefined }, { reason: 'missing_claim', claim: 'exp' }],
    ['has an expiry in text', { exp: '4102444800' }, { reason: 'malformed', claim: 'exp' }],
    ['is not valid yet', { nbf: 4_102_444_800 }, { reason: 'not_yet_valid', claim: 'nbf' }],
    ['has no subject', { sub: undefined }, { reason: 'missing_claim', claim: 'sub' }],
    ['has no client', { client_id: undefined }, { reason: 'missing_claim', claim: 'client_id' }],
    ['is bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, { reason: 'sender_constrained', claim: 'cnf' }],
    ['is bound to a key that is not named', { token_type: 'DPoP' }, { reason: 'sender_constrained', claim: 'cnf' }],
    ['is a refresh token', { token_type: 'refresh_token' }, { reason: 'not_an_access_token', claim: 'token_type' }],
    ['is a refresh token of Keycloak', { typ: 'Refresh' }, { reason: 'not_an_access_token', claim: 'typ' }],
    [
      'is a refresh token of Ory',
      { token_use: 'refresh_token' },
      { reason: 'not_an_access_token', claim: 'token_use' },
    ],
    ['is an ID token', { at_hash: 'x' }, { reason: 'not_an_access_token', claim: 'at_hash' }],
  ])('RFC 7662 §4 an active token is refused if it %s', async (_why, more, found) => {
    issuer.known.set('opaque', active(more));
    expect(await server.whoami('opaque')).toMatchObject({ status: 401, ...found });
  });

  it('RFC 7662 §2.2 a member that is null counts as absent', async () => {
    const empty = { iss: null, nbf: null, iat: null, cnf: null, token_type: null, azp: null, scp: null };
    issuer.known.set('opaque', active(empty));
    expect(await server.whoami('opaque')).toMatchObject({ subject: 'ada', client: 'desk' });
    for (const [name, reason] of Object.entries({ aud: 'no_audience', exp: 'missing_claim', sub: 'missing_claim' })) {
      issuer.known.set(name, active({ [name]: null }));
      expect(await server.whoami(name)).toMatchObject({ status: 401, reason, claim: name });
    }
  });

  it('RFC 7662 §2.2 an answer has to name the issuer where its tokens have several, one for each tenant', async () => {
    await restart({
      ISSUER: `${issuer.url}/organizations/v2.0`,
      ISSUER_PRESET: 'entra',
      TOKEN_REQUIRED_CLAIMS: 'tid=ours|theirs',
      AUDIENCES: 'app',
      INTROSPECTION_URL: `${issuer.url}/introspect`,
    });
    const of = (iss: string | undefined, tid: string) =>
      active({ iss, tid, aud: 'app', azp: 'desk', scp: 'mcp:tools' });
    issuer.known.set('ours', of(`${issuer.url}/ours/v2.0`, 'ours'));
    issuer.known.set('nameless', of(undefined, 'ours'));
    issuer.known.set('mixed', of(`${issuer.url}/ours/v2.0`, 'theirs'));
    expect(await server.whoami('ours')).toMatchObject({ subject: 'ada', issuer: `${issuer.url}/ours/v2.0` });
    expect(await server.whoami('nameless')).toMatchObject({ status: 401, reason: 'wrong_issuer' });
    expect(await server.whoami('mixed')).toMatchObject({ status: 401, reason: 'wrong_claim', claim: 'tid' });
  });

  it('an active token without the scopes of this server gets 403', async () => {
    issuer.known.set('opaque', active({ scope: 'profile' }));
    expect(await server.whoami('opaque')).toMatchObject({ status: 403, reason: 'insufficient_scope' });
  });

  it('required claims, scopes and subjects of the issuer are read as from a JWT', async () => {
    await restart({
      TOKEN_REQUIRED_CLAIMS: 'org=acme',
      TOKEN_SUBJECT_CLAIMS: 'sub,client_id',
      TOKEN_SCOPE_CLAIMS: 'permissions',
      TOKEN_SCOPE_MAP: 'use=mcp:tools',
    });
    issuer.known.set('opaque', active({ org: 'acme', sub: undefined, permissions: ['use'] }));
    issuer.known.set('foreign', active({ org: 'other', permissions: ['use'] }));
    expect(await server.whoami('opaque')).toMatchObject({ subject: 'desk', scopes: ['mcp:tools'] });
    expect(await server.whoami('foreign')).toMatchObject({ status: 401, reason: 'wrong_claim', claim: 'org' });
  });

  it('a refresh token is refused where another claim stands for the audience, and says nothing of its type', async () => {
    await restart({ AUDIENCE_CLAIM: 'client_id=desk' });
    issuer.known.set('refresh', active({ aud: undefined, token_type: undefined }));
    issuer.known.set('access', active({ aud: undefined }));
    expect(await server.whoami('refresh')).toMatchObject({ status: 401, reason: 'not_an_access_token' });
    expect(await server.whoami('access')).toMatchObject({ subject: 'ada' });
  });

  it('RFC 9449 §6.2 a token that is bound to a key needs a proof of it', async () => {
    const holder = await keyHolder();
    issuer.known.set('bound', active({ token_type: 'DPoP', cnf: { jkt: holder.thumbprint } }));
    expect(await server.whoami('bound')).toMatchObject({ status: 401, reason: 'sender_constrained' });
    const dpop = await holder.prove({ token: 'bound', url: `${server.url}/mcp`, now: server.clock.now() / 1000 });
    const response = await call('bound', { authorization: 'DPoP bound', dpop });
    expect(response.status).toBe(200);
  });
});

describe('where tokens go', () => {
  it('without INTROSPECTION an opaque token is malformed, and nobody is asked', async () => {
    await server[Symbol.asyncDispose]();
    server = await startServer({ ISSUER: issuer.url });
    issuer.known.set('opaque', active());
    expect(await server.whoami('opaque')).toMatchObject({ status: 401, reason: 'malformed' });
    expect(issuer.questions).toEqual([]);
  });

  it('a JWT is never sent, whoever signed it, and also if it is encrypted or broken', async () => {
    const claims = { ...active(), active: undefined };
    const own = await signToken({ key: issuer.key, claims });
    const [header, payload] = own.split('.');
    const others = [`${own}x`, `${header}.${payload}.`, `${header}.a.b.c.d`, `${header}..`];
    for (const token of [own, ...others]) issuer.known.set(token, active());
    expect(await server.whoami(own)).toMatchObject({ subject: 'ada' });
    for (const token of others) expect(await server.whoami(token), token).toMatchObject({ status: 401 });
    expect(issuer.questions).toEqual([]);
  });

  it.each(['a"b', 'a=b', 'a,b', '='])(
    'RFC 6750 §2.1 %s has a character that no token has: nobody is asked',
    async (token) => {
      issuer.known.set(token, active());
      expect(await server.whoami(token)).toMatchObject({ status: 401, reason: 'malformed' });
      expect(issuer.questions).toEqual([]);
    },
  );

  // The fourth has the header of a JWT, but two parts.
  it.each(['v4.local.YWJj', 'a.b.c', 'eyJ.b', 'eyJhbGciOiJFUzI1NiJ9.b', 'bnVsbA.b.c'])(
    '%s is no JWT, and the issuer is asked',
    async (token) => {
      issuer.known.set(token, active());
      expect(await server.whoami(token)).toMatchObject({ subject: 'ada' });
    },
  );

  it('only the one of several issuers that is configured for it is asked, and it answers only for itself', async () => {
    await using other = await startAskedIssuer();
    const { ISSUER: _, ...client } = issuer.settings;
    const own = Object.entries(client).map(([name, value]) => [`ISSUER_OPAQUE_${name}`, value]);
    await server[Symbol.asyncDispose]();
    server = await startServer({
      ISSUERS: 'other,opaque',
      ISSUER_OTHER_URL: other.url,
      ISSUER_OPAQUE_URL: issuer.url,
      ...Object.fromEntries(own),
    });
    issuer.known.set('opaque', active());
    issuer.known.set('lie', active({ iss: other.url }));
    other.known.set('theirs', active({ iss: other.url }));
    expect(await server.whoami('opaque')).toMatchObject({ subject: 'ada', issuer: issuer.url });
    expect(await server.whoami('lie')).toMatchObject({ status: 401, reason: 'wrong_issuer' });
    issuer.known.set('away', (response) => void response.writeHead(500).end());
    const mend = expect.stringContaining('`ISSUER_OPAQUE_INTROSPECTION_URL`');
    expect(await server.whoami('away')).toMatchObject({ status: 503, mend });
    expect(await server.whoami('theirs')).toMatchObject({ status: 401, reason: 'inactive' });
    expect(other.questions).toEqual([]);
  });

  it('a redirect is not followed, so that the token reaches no other server', async () => {
    await using other = await startAskedIssuer();
    issuer.known.set('opaque', (response) => {
      response.writeHead(307, { location: `${other.url}/introspect` }).end();
    });
    other.known.set('opaque', active());
    expect(await server.whoami('opaque')).toMatchObject({ status: 503, reason: 'introspection_unavailable' });
    expect(other.questions).toEqual([]);
  });

  it('the log and the answer have no token and no secret, also after failures', async () => {
    issuer.known.set('sesame-1', active());
    issuer.known.set('sesame-2', (response) => void response.end('sesame-2 is not known'));
    issuer.known.set('sesame-3', (response) => void response.writeHead(400).end('sesame-3'));
    const said: string[] = [];
    for (const token of ['sesame-1', 'sesame-2', 'sesame-3', 'sesame-4']) {
      said.push(await (await call(token)).text());
    }
    const written = [...server.log, ...said].join('\n');
    expect(written).toContain('no JSON');
    expect(written).not.toMatch(/sesame|p:ss|w%C3%B6rd/);
  });

  it('a foreign JWT of an issuer that is not configured is refused without a question', async () => {
    const foreign = await startForeign();
    const token = await signToken({ key: foreign.key, claims: { ...active(), iss: foreign.issuer.url } });
    expect(await server.whoami(token)).toMatchObject({ status: 401, reason: 'wrong_issuer' });
    expect(issuer.questions).toEqual([]);
    await foreign.issuer.close();
  });
});
