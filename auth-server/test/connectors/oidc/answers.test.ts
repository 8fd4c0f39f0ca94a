/**
 * Proves that odd answers of an OpenID provider are tolerated where they do not matter, and that each refusal names its
 * reason (OpenID Connect Core 1.0 §3.1.3.7).
 */
import { generateKeyPairSync } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata, type Play, publicKey, shown, signIn, start } from '../../support/oidc-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

const SUBJECT = 'opaque|0001/ü';

const failureOf = async (change: (play: Play) => void): Promise<UpstreamError> => {
  const failure = await signIn(change).catch((error: unknown) => error);
  if (failure instanceof UpstreamError) return failure;
  throw new Error(`not refused: ${JSON.stringify(failure)}`);
};

describe('RFC 6749 §5.1 members of a token response that sign-in does not need', () => {
  it.each([
    ['refresh_token null', { refresh_token: null }],
    ['refresh_token empty', { refresh_token: '' }],
    ['refresh_token as an object', { refresh_token: {} }],
    ['scope null', { scope: null }],
    ['scope as a list', { scope: ['openid', 'email'] }],
    ['scope empty', { scope: '' }],
    ['expires_in null', { expires_in: null }],
    ['expires_in empty', { expires_in: '' }],
    ['expires_in as text', { expires_in: '3599' }],
    ['expires_in as words', { expires_in: 'an hour' }],
    ['expires_in negative', { expires_in: -1 }],
    ['error null and empty', { error: null, error_description: '' }],
    ['unknown members', { ext_expires_in: null, session_state: [], foci: '1' }],
  ])('an unneeded member of a token response is ignored: %s', async (_, members) => {
    expect(await signIn((play) => Object.assign(play, { members }))).toMatchObject({ subject: SUBJECT });
  });

  it.each([
    ['access_token null', { access_token: null }],
    ['access_token empty', { access_token: '' }],
    ['token_type null', { token_type: null }],
    ['id_token null', { id_token: null }],
    ['id_token empty', { id_token: '' }],
  ])('a REQUIRED member of a token response is still required: %s', async (_, members) => {
    expect((await failureOf((play) => Object.assign(play, { members }))).reason).toBe('invalid_answer');
  });

  it.each([
    ['no access_token', { access_token: undefined }, { claim: 'access_token', found: 'nothing' }],
    ['access_token as a list', { access_token: ['a-secret'] }, { claim: 'access_token', found: 'object' }],
    ['no token_type', { token_type: undefined }, { claim: 'token_type', expected: 'Bearer', found: 'nothing' }],
    ['token_type null', { token_type: null }, { claim: 'token_type', expected: 'Bearer', found: 'null' }],
    ['another token_type', { token_type: 'mac' }, { claim: 'token_type', expected: 'Bearer', found: 'mac' }],
  ])('a missing REQUIRED member is named in the log: %s', async (_, members, facts) => {
    expect((await failureOf((play) => Object.assign(play, { members }))).facts).toMatchObject(facts);
  });

  it('token_type is compared without case', async () => {
    const members = { token_type: 'BEARER' };
    expect(await signIn((play) => Object.assign(play, { members }))).toMatchObject({ subject: SUBJECT });
  });
});

describe('Discovery §4.3 unusable provider metadata', () => {
  it.each([
    ['another issuer', { issuer: 'https://other.example' }, { claim: 'issuer', found: 'https://other.example' }],
    ['no issuer', {}, { claim: 'issuer', found: 'nothing' }],
    ['issuer null', { issuer: null }, { claim: 'issuer', found: 'null' }],
  ])('unusable metadata is reported with the expected and the found value: %s', async (_, document, facts) => {
    let expected = '';
    const failure = await failureOf(({ stage, issuer }) => {
      expected = issuer;
      stage.routes.set('/.well-known/openid-configuration', () => document);
    });
    expect([failure.reason, failure.facts]).toMatchObject(['unavailable', { ...facts, expected }]);
  });

  it.each([[[]], ['text']])('metadata that is no object is reported in plain words: %j', async (document) => {
    const failure = await failureOf(({ stage }) =>
      stage.routes.set('/.well-known/openid-configuration', () => document as object),
    );
    expect(failure.message).toMatch(/can't be used: (it is not metadata: expected a JSON object|Unexpected token)/);
  });
});

describe('RFC 9110 §15.5.16 a compressed answer although none was accepted', () => {
  const packed = (status: number) => new Reply(status, 'x', { 'content-encoding': 'gzip' });

  it.each(['/token', '/jwks', '/.well-known/openid-configuration'])(
    'a compressed answer of %s is reported as such',
    async (path) => {
      const { reason, message } = await failureOf(({ stage }) => stage.routes.set(path, () => packed(200)));
      expect(reason).toBe('unavailable');
      expect(message).toMatch(/answered with the content coding gzip/);
      expect(message).not.toContain('could not be reached');
    },
  );

  it.each([
    ['/token', 503],
    ['/jwks', 503],
    ['/.well-known/openid-configuration', 404],
  ])('a compressed error answer of %s is reported by its status %i', async (path, status) => {
    const failure = await failureOf(({ stage }) => stage.routes.set(path, () => packed(status)));
    expect([failure.reason, failure.facts.status]).toEqual(['unavailable', status]);
  });
});

describe('OpenID Connect Core §5.1 claims that sign-in does not need', () => {
  it.each([
    ['auth_time null', { auth_time: null }],
    ['auth_time as text', { auth_time: '1700000000' }],
    ['nbf null', { nbf: null }],
    ['azp null', { azp: null }],
    ['acr and amr of other kinds', { acr: 1, amr: 'pwd' }],
    ['at_hash null', { at_hash: null }],
    [
      'name, e-mail and its flag of other kinds',
      { name: 7, preferred_username: {}, email: ['a@b.example'], email_verified: 1 },
    ],
    ['name empty', { name: '', preferred_username: '', email: '', email_verified: true }],
  ])('an unneeded claim of an id token is ignored: %s', async (_, claims) => {
    const identity = await signIn((play) => Object.assign(play, { claims }));
    expect(shown(identity)).toEqual({ issuer: expect.any(String), subject: SUBJECT });
  });

  it.each([
    ['no sub', {}],
    ['a null sub', { sub: null, name: 'Alice' }],
    ['members of other kinds', { sub: SUBJECT, name: null, email: {}, email_verified: 'yes' }],
    ['a list', []],
  ])('userinfo with %s adds nothing and does not stop the sign-in', async (_, said) => {
    const identity = await signIn(({ stage }) => stage.routes.set('/userinfo', () => said));
    expect(shown(identity)).toEqual({ issuer: expect.any(String), subject: SUBJECT });
  });
});

describe('Discovery §3 metadata that sign-in does not need', () => {
  it.each([
    ['userinfo_endpoint null', { userinfo_endpoint: null }],
    ['userinfo_endpoint that is no URL', { userinfo_endpoint: 'userinfo' }],
    ['lists null', { id_token_signing_alg_values_supported: null, scopes_supported: null }],
    ['lists with odd members', { id_token_signing_alg_values_supported: [null, 7, 'RS256'] }],
    ['RFC 9207 §3 a flag as text', { authorization_response_iss_parameter_supported: 'false' }],
    ['mtls_endpoint_aliases null', { mtls_endpoint_aliases: null }],
  ])('an unneeded member of provider metadata is ignored: %s', async (_, members) => {
    const identity = await signIn(({ stage, issuer }) =>
      stage.routes.set('/.well-known/openid-configuration', () => ({ ...metadata(issuer), ...members })),
    );
    expect(identity.subject).toBe(SUBJECT);
  });
});

describe('RFC 7517 §5 the keys of a provider are read one by one', () => {
  const good = async (members: object = {}) => ({ ...(await publicKey), ...members });
  const strangers = async (members: object = {}) => ({
    ...(await exportJWK((await generateKeyPair('RS256')).publicKey)),
    ...members,
  });
  const kid = { kid: '1' };

  it.each([
    ['null beside it', async () => [null, await good(kid)]],
    ['text, a number and a list beside it', async () => ['x', 7, [], await good(kid)]],
    ['one without kty beside it', async () => [{ kid: '1', use: 'sig' }, await good(kid)]],
    ['one without its numbers beside it', async () => [{ kty: 'RSA', kid: '1' }, await good(kid)]],
    ['one of an unknown type beside it', async () => [{ kty: 'new', kid: '1' }, await good(kid)]],
    ['itself a second time', async () => [await good(kid), await good(kid)]],
    ['RFC 7517 §4.5 another key under its name', async () => [await strangers(kid), await good(kid)]],
    ['no name, and the token has one', async () => [await good()]],
    ['no name beside an encryption key', async () => [await strangers({ use: 'enc' }), await good({ use: 'sig' })]],
    ['no name beside other names', async () => [await strangers({ kid: '2' }), await good()]],
    ['alg, use and key_ops null', async () => [await good({ ...kid, alg: null, use: null, key_ops: null })]],
    ['a number as its name', async () => [await good({ kid: 1 })]],
  ])('a key with %s signs in', async (_, keys) => {
    const identity = await signIn(({ stage }) => stage.routes.set('/jwks', async () => ({ keys: await keys() })));
    expect(identity.subject).toBe(SUBJECT);
  });

  it.each([
    ['one key', async () => [await good(kid)]],
    ['several keys', async () => [await strangers(kid), await strangers({ kid: '2' }), await good({ kid: '3' })]],
  ])('RFC 7515 §4.1.4 a token without kid signs in with %s', async (_, keys) => {
    const identity = await signIn((play) => {
      play.header = { kid: undefined };
      play.stage.routes.set('/jwks', async () => ({ keys: await keys() }));
    });
    expect(identity.subject).toBe(SUBJECT);
  });

  it('at most ten keys are tried for one signature', async () => {
    const many = await Promise.all(Array.from({ length: 11 }, () => strangers(kid)));
    const failure = await failureOf(({ stage }) =>
      stage.routes.set('/jwks', async () => ({ keys: [...many, await good(kid)] })),
    );
    expect(failure.message).toBe('the id token was refused: no key of the provider matches its signature');
  });

  it.each([
    ['for encryption', { ...kid, use: 'enc' }],
    ['of another name', { kid: '2' }],
    ['of another algorithm', { ...kid, alg: 'RS512' }],
    ['RFC 7517 §9.2 whose private part everybody can read', { ...kid, d: 'told' }],
    ['for signing only', { ...kid, key_ops: ['sign'] }],
  ])('a key %s is not tried', async (_, members) => {
    const failure = await failureOf(({ stage }) =>
      stage.routes.set('/jwks', async () => ({ keys: [await good(members)] })),
    );
    expect(failure.message).toBe('the id token was refused: the provider has no key for it');
    expect(failure.facts).toMatchObject({ claim: 'kid', found: '1 (RS256)' });
  });

  it('RFC 7518 §3.3 a key that is too short is reported as too short', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });
    const failure = await failureOf(({ stage }) => stage.routes.set('/jwks', () => ({ keys: [{ ...short, ...kid }] })));
    expect(failure.message).toMatch(/matches its signature; .*2048 bits/);
  });

  it('the keys are fetched again when none fits, in case the provider has changed them', async () => {
    await using upstream = await start();
    const { stage, connector } = upstream;
    const asked = () => stage.asked.filter((path) => path === '/jwks').length;
    stage.routes.set('/jwks', async () => ({ keys: [asked() === 1 ? await strangers(kid) : await good(kid)] }));
    const { identity } = await connector.finish(await upstream.signIn(await connector.begin(checks)), checks);
    expect([identity.subject, asked()]).toEqual([SUBJECT, 2]);
  });
});

describe('OpenID Connect Core §3.1.3.7 a refused id token names the claim, what was expected and what was there', () => {
  const now = Math.floor(Date.now() / 1000);

  it.each([
    ['no nonce', { nonce: undefined }, { claim: 'nonce', found: 'nothing' }],
    ['another nonce', { nonce: 'of-another-login' }, { claim: 'nonce', found: 'another value' }],
    ['another audience', { aud: 'somebody-else' }, { claim: 'aud', expected: 'client', found: 'somebody-else' }],
    ['several audiences and no azp', { aud: ['client', 'other'] }, { claim: 'azp', expected: 'client', found: 'nothing beside aud ["client","other"]' }],
    ['another issuer', { iss: 'https://evil.example' }, { claim: 'iss', found: 'https://evil.example' }],
    ['an end in the past', { exp: 1 }, { claim: 'exp', found: 1 }],
    ['an end as text', { exp: String(now + 60) }, { claim: 'exp', expected: 'a number' }],
    ['a beginning in the future', { nbf: now + 3_600 }, { claim: 'nbf', found: now + 3_600 }],
    ['no time of issue', { iat: undefined }, { claim: 'iat', found: 'nothing' }],
    ['no subject', { sub: undefined }, { claim: 'sub', found: 'nothing' }],
    ['a number as subject', { sub: 7 }, { claim: 'sub', found: 7 }],
  ])('a refused id token is reported with claim, expected and found value: %s', async (_, claims, facts) => {
    const failure = await failureOf((play) => Object.assign(play, { claims }));
    expect(failure).toMatchObject({ reason: 'invalid_answer', facts });
    expect(failure.message).toMatch(/^the id token was refused: /);
  }); // biome-ignore format: one row each

  it('an id token signed with an unannounced algorithm is refused', async () => {
    const failure = await failureOf(({ stage, issuer }) =>
      stage.routes.set('/.well-known/openid-configuration', () => ({
        ...metadata(issuer),
        id_token_signing_alg_values_supported: ['ES256', 'HS256'],
      })),
    );
    expect(failure.facts).toMatchObject({ claim: 'alg', expected: ['ES256'], found: 'RS256' });
  });

  it.each([
    ['none', 'eyJhbGciOiJub25lIn0.e30.', 'alg'],
    ['a signature with a shared secret', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 'alg'],
    ['an encrypted token', 'a.b.c.d.e', 'id_token'],
    ['text that is no JWT', 'x', 'id_token'],
    ['RFC 7515 §4.1.11 one that demands an extension', 'eyJhbGciOiJSUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6dHJ1ZX0.e30.AAAA', 'crit'],
  ])('an id token with an unacceptable signature is refused: %s', async (_, token, claim) => {
    const failure = await failureOf((play) => Object.assign(play, { members: { id_token: token } }));
    expect(failure).toMatchObject({ reason: 'invalid_answer', facts: { claim } });
  }); // biome-ignore format: one row each
});

describe('RFC 6749 §5.2 an error of the token endpoint is reported unchanged', () => {
  const description = 'AADSTS7000215: Invalid client secret provided.';

  it.each([
    ['invalid_client', 401, 'unavailable'],
    ['unauthorized_client', 400, 'unavailable'],
    ['invalid_scope', 400, 'misconfigured'],
    ['invalid_request', 400, 'misconfigured'],
    ['unsupported_grant_type', 400, 'misconfigured'],
    ['invalid_grant', 400, 'invalid_answer'],
    ['invalid_grant', 200, 'invalid_answer'],
    ['interaction_required', 400, 'denied'],
    ['access_denied', 403, 'denied'],
    ['something_new', 418, 'invalid_answer'],
  ])('the token endpoint error %s with %i is %s', async (error, status, reason) => {
    const failure = await failureOf(({ stage }) =>
      stage.routes.set('/token', () => new Reply(status, { error, error_description: description })),
    );
    expect(failure.reason).toBe(reason);
    expect(failure.facts).toMatchObject({ upstreamError: error, upstreamDescription: description, status });
  });

  it.each([
    ['a page', new Reply(400, '<!doctype html>', { 'content-type': 'text/html' }), { status: 400, found: 'text/html' }],
    ['an empty body', new Reply(404, ''), { status: 404 }],
    ['a list', new Reply(200, []), { status: 200, expected: 'a JSON object' }],
  ])('a token answer with %s instead of JSON is reported', async (_, reply, facts) => {
    const failure = await failureOf(({ stage }) => stage.routes.set('/token', () => reply));
    expect(failure).toMatchObject({ reason: 'invalid_answer', facts });
  });

  it("a 401 challenge without JSON means that this server's credentials were refused", async () => {
    const reply = new Reply(401, '', { 'www-authenticate': 'Basic realm="token"' });
    const failure = await failureOf(({ stage }) => stage.routes.set('/token', () => reply));
    expect(failure).toMatchObject({ reason: 'unavailable', message: "the upstream refused this server's credentials" });
  });

  it('an error that is an object is logged as JSON', async () => {
    const error = { code: 403, message: 'The caller does not have permission' };
    const failure = await failureOf(({ stage }) => stage.routes.set('/token', () => new Reply(403, { error })));
    expect(failure.facts.upstreamError).toBe(JSON.stringify(error));
  });
});

describe('RFC 9110 §15.4 a redirect is not followed, and is reported with its status and target host', () => {
  it.each(['/.well-known/openid-configuration', '/jwks', '/token'])(
    'a redirect of %s is not followed',
    async (path) => {
      const to = { location: 'https://elsewhere.example/x?secret=1' };
      const failure = await failureOf(({ stage }) => stage.routes.set(path, () => new Reply(303, '', to)));
      expect(failure).toMatchObject({ reason: 'unavailable', facts: { status: 303 } });
      expect(failure.message).toContain(`${path} answered 303, a redirect to elsewhere.example, which is not followed`);
    },
  );

  it('RFC 9110 §8.4 a content coding that was not accepted is named', async () => {
    const coded = new Reply(200, '{}', { 'content-encoding': 'gzip' });
    const failure = await failureOf(({ stage }) => stage.routes.set('/jwks', () => coded));
    expect(failure).toMatchObject({ reason: 'unavailable', message: expect.stringContaining('content coding gzip') });
  });

  it.each([404, 403, 202])('Discovery §4.2 metadata with status %i is reported with its status', async (status) => {
    const failure = await failureOf(({ stage }) =>
      stage.routes.set('/.well-known/openid-configuration', () => new Reply(status, {})),
    );
    expect(failure.message).toMatch(new RegExp(`openid-configuration can't be used: it answered ${status}$`));
  });
});
