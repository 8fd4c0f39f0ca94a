/** Proves how the token of a caller is exchanged at its issuer (RFC 8693), and what a tool learns when it is not. */
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyHolder } from '../support/proof.ts';
import { callTool, probes, textOf } from './probe.ts';
import { type Answer, type Asked, digestOf, documentAt, SECRETS, type Stage, startStage } from './stage.ts';

const BILLING = { UPSTREAMS: 'github,billing', UPSTREAM_BILLING_SCOPES: 'mcp:tools' };
const TYPE = 'urn:ietf:params:oauth:token-type:access_token';

let stage: Stage;
let billing: string;
beforeAll(async () => {
  billing = 'https://billing.example.com/mcp';
  stage = await startStage({ ...BILLING, UPSTREAM_BILLING_RESOURCE: billing }, { catalog: probes });
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => {
  stage.clock.advance(61);
  stage.asked.length = 0;
  stage.log.length = 0;
  stage.answer = undefined;
  stage.accounts.clear();
  stage.accounts.set('ada', SECRETS.ofAda);
});

/** The only exchange of a test. */
function theOne({ asked }: Stage): Asked {
  const [first, ...others] = asked;
  if (!first || others.length > 0) throw new Error(`there were ${asked.length} exchanges`);
  return first;
}

const answering = (answer: Answer) => () => answer;
const granted = (more: object = {}): Answer => ({
  status: 200,
  body: { access_token: 'token-for-billing', issued_token_type: TYPE, token_type: 'DPoP', ...more },
});

describe('the exchange', () => {
  it('RFC 8693 §2.1 the issuer gets the token of the caller and the connector, and gives that of the account', async () => {
    const { body } = await callTool(stage, 'holder');
    expect(body.result.structuredContent).toEqual({ length: SECRETS.ofAda.length, scopes: ['read:user', 'repo'] });
    const { form } = theOne(stage);
    expect(form).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: TYPE,
      requested_token_type: TYPE,
      audience: 'github',
      client_id: 'mcp-server',
    });
    expect(decodeJwt(form.subject_token ?? '').sub).toBe('ada');
    expect(Object.keys(form)).not.toEqual(expect.arrayContaining(['resource', 'scope', 'actor_token']));
  });

  it('RFC 7523 §3 this server authenticates by a short assertion, signed by the key that its metadata publishes', async () => {
    const document = await documentAt(stage, '/.well-known/oauth-protected-resource/mcp');
    expect(document.jwks_uri).toBe(`${stage.url}/.well-known/jwks.json`);
    await callTool(stage, 'holder');
    // The token endpoint of the stage has verified the signature by the keys at that URL.
    const { client } = theOne(stage);
    expect(client).toMatchObject({ iss: 'mcp-server', sub: 'mcp-server', aud: stage.issuer.url });
    expect(Number(client.exp) - Number(client.iat)).toBe(60);
    expect(client.jti).toBeTypeOf('string');
  });

  it('RFC 9728 §2 the published key has no private member, and can be read from other origins', async () => {
    const response = await fetch(`${stage.url}/.well-known/jwks.json`);
    const { keys } = JSON.parse(await response.text());
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        alg: 'ES256',
        use: 'sig',
        kid: expect.any(String),
      },
    ]);
    expect(keys[0].kid).toBe(await calculateJwkThumbprint(keys[0]));
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect((await fetch(`${stage.url}/.well-known/jwks.json`, { method: 'POST' })).status).toBe(405);
  });

  it('a tool that does not ask for an account causes no exchange', async () => {
    expect(textOf((await callTool(stage, 'idle')).body)).toBe('done');
    expect(stage.asked).toEqual([]);
  });

  it('the token that the upstream has refused is named by its SHA-256 only', async () => {
    stage.answer = ({ form }) => {
      if (form.rejected_token !== digestOf(SECRETS.ofAda)) return undefined;
      return {
        status: 200,
        body: { access_token: SECRETS.renewed, issued_token_type: TYPE, token_type: 'bearer', expires_in: 3600 },
      };
    };
    const { body } = await callTool(stage, 'holder', { reject: true });
    const expires = new Date(stage.clock.now() + 3_600_000).toISOString();
    expect(body.result.structuredContent).toEqual({ length: SECRETS.renewed.length, scopes: [], expires });
    expect(stage.asked.map(({ form }) => form.rejected_token)).toEqual([undefined, digestOf(SECRETS.ofAda)]);
  });
});

describe('an exchange for another MCP server', () => {
  const ask = (more = {}) => callTool(stage, 'probe', { upstream: 'billing', url: `${billing}/x` }, more);

  it('RFC 9449 §5 asks for its resource and scopes, with a proof of the key of this server', async () => {
    stage.answer = answering({ status: 400, body: { error: 'invalid_target' } });
    await ask();
    const { form, dpop = '' } = theOne(stage);
    expect(form).toMatchObject({ resource: billing, scope: 'mcp:tools' });
    expect(form).not.toHaveProperty('audience');
    const { payload, protectedHeader } = await jwtVerify(dpop, EmbeddedJWK, {
      typ: 'dpop+jwt',
      currentDate: new Date(stage.clock.now()),
    });
    expect(payload).toMatchObject({ htm: 'POST', htu: `${stage.issuer.url}/token` });
    const { keys } = await documentAt(stage, '/.well-known/jwks.json');
    expect(await calculateJwkThumbprint(Object(protectedHeader.jwk))).toBe(await calculateJwkThumbprint(keys[0]));
  });

  it('RFC 9449 §8 a nonce that the issuer wants is in the proof of a second request', async () => {
    stage.answer = ({ dpop = '' }) =>
      decodeJwt(dpop).nonce === 'n-1'
        ? { status: 400, body: { error: 'invalid_target' } }
        : { status: 400, body: { error: 'use_dpop_nonce' }, headers: { 'dpop-nonce': 'n-1' } };
    expect(textOf((await ask()).body)).toContain('(invalid_target)');
    expect(stage.asked).toHaveLength(2);
  });

  it('RFC 9449 §5 a bearer token for a bound one is refused: it would be a downgrade', async () => {
    stage.answer = answering(granted({ token_type: 'Bearer' }));
    const holder = await keyHolder();
    const token = await stage.token('ada', { cnf: { jkt: holder.thumbprint } });
    const now = stage.clock.now() / 1000;
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: await holder.prove({ token, url: `${stage.url}/mcp`, now }),
    };
    const { body } = await ask({ headers });
    expect(textOf(body)).toContain('it answered a bearer token for a bound one');
    expect(stage.asked).toHaveLength(1);
  });

  it('has no account to connect: an issuer that asks for one makes the tool fail, and no scope is asked for', async () => {
    stage.answer = answering({
      status: 400,
      body: { error: 'interaction_required', interaction_uri: `${stage.issuer.url}/connect/x` },
    });
    const { status, body } = await ask();
    expect([status, textOf(body)]).toEqual([200, expect.stringContaining('(interaction_required)')]);
  });

  it('its token is not handed to a tool, which could not prove the key', async () => {
    const { body } = await callTool(stage, 'holder', { upstream: 'billing' });
    expect(textOf(body)).toContain('use fetch instead of upstream');
    expect(stage.asked).toEqual([]);
  });
});

describe('an exchange that fails', () => {
  it.each([
    [
      'the policy does not allow',
      { status: 400, body: { error: 'invalid_target' } },
      'does not let this server act for the user there (invalid_target)',
    ],
    ['the token of the caller ended', { status: 400, body: { error: 'invalid_request' } }, '(invalid_request)'],
    ['does not know the client', { status: 401, body: { error: 'invalid_client' } }, '(invalid_client)'],
    [
      'is out of order',
      { status: 503, body: { error: 'temporarily_unavailable' } },
      'does not answer. Try again later',
    ],
    ['answers a page', { status: 502, body: '<html>canary</html>' }, 'does not answer. Try again later'],
    [
      'has given the person too many pages',
      { status: 429, body: { error: 'too_many_pages' }, headers: { 'retry-after': '480' } },
      'the user was asked too often to connect the account. Try again in 480 seconds.',
    ],
    [
      'accepts no more requests (RFC 6585 §4)',
      {
        status: 429,
        body: { error: 'too_many_requests' },
        headers: { 'retry-after': 'Tue, 01 Dec 2026 00:00:00 GMT' },
      },
      'accepts no more requests of this server for a while. Try again later.',
    ],
    [
      'answers another type of token',
      granted({ issued_token_type: 'urn:ietf:params:oauth:token-type:id_token', token_type: 'Bearer' }),
      'issued_token_type',
    ],
    ['answers a token of no use', granted({ token_type: 'N_A' }), 'token_type of its answer'],
    ['answers a token bound to another key', granted(), 'bound to another key'],
    [
      'answers a token with a line break',
      granted({ access_token: 'a\r\nHost: evil', token_type: 'Bearer' }),
      'has no access_token',
    ],
    ['answers no token', { status: 200, body: [] }, 'no JSON object'],
    [
      'names no page for the person',
      { status: 400, body: { error: 'interaction_required' } },
      'The authorization server names no page for it',
    ],
    [
      'names a page that is none',
      { status: 400, body: { error: 'interaction_required', interaction_uri: 'javascript:alert(1)' } },
      'The authorization server names no page for it',
    ],
  ] as const)('RFC 8693 §2.2.2 the tool says so if the issuer %s', async (_, answer, expected) => {
    stage.answer = answering(answer as Answer);
    const { body } = await callTool(stage, 'holder');
    expect(body.result.isError).toBe(true);
    expect(textOf(body)).toContain(expected);
    expect(textOf(body)).not.toContain('canary');
  });

  it.each([
    ['invalid_client', 'CLIENTS of auth-server: the entry that exchange-key --client prints'],
    ['invalid_target', 'EXCHANGE_POLICY of auth-server: name this upstream'],
    ['unsupported_grant_type', 'EXCHANGE_POLICY of auth-server: without it'],
  ])('after %s the log says which setting the operator changes', async (error, fix) => {
    stage.answer = answering({ status: 400, body: { error } });
    await callTool(stage, 'holder');
    const line = stage.log.findLast((one) => one.includes('no token of the upstream')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ reason: error, fix: expect.stringContaining(fix) });
  });

  it('an upstream that UPSTREAMS does not name is a fault of the tool, and nothing is asked', async () => {
    const { body } = await callTool(stage, 'holder', { upstream: 'gitlab' });
    expect(textOf(body)).toContain('there is no upstream "gitlab"; UPSTREAMS names: github, billing');
    expect(stage.asked).toEqual([]);
  });

  it('the log has the reason and no token of anybody', async () => {
    stage.answer = ({ form }) => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: `${form.subject_token} ${SECRETS.ofAda}` },
    });
    await callTool(stage, 'holder');
    const text = stage.log.join('');
    expect(text).toContain('"reason":"invalid_grant"');
    const { form } = theOne(stage);
    for (const secret of [SECRETS.ofAda, form.subject_token ?? '', form.client_assertion ?? '']) {
      expect(text).not.toContain(secret);
    }
    expect(decodeProtectedHeader(form.client_assertion ?? '').alg).toBe('ES256');
  });
});
