/**
 * Proves that the development IdP issues ID-JAGs by token exchange (draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3): what the
 * administrator has allowed to the one client that may ask, and nothing else.
 */
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { AUTH_SERVER, configurationOf, type Idp, type IdpClient, signIn, startIdp, URL_OF_IDP } from './support/idp.ts';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const RESOURCE = 'http://localhost:8080/mcp';

const MCP_CLIENT: IdpClient = {
  id: 'mcp-client',
  secret: 'development-only-client-secret',
  redirectUri: 'http://127.0.0.1:54321/callback',
  scope: 'openid offline_access',
};

const ON = { DEVELOPMENT_IDP_ENTERPRISE_SERVERS: RESOURCE };

const start = (env = {}) => startIdp({ ...ON, ...env });

const asked = (idToken: string | undefined, changes: Readonly<Record<string, string>> = {}) => ({
  requested_token_type: ID_JAG,
  audience: 'http://localhost:9000',
  resource: RESOURCE,
  scope: 'mcp:tools',
  subject_token: idToken ?? '',
  subject_token_type: ID_TOKEN,
  ...changes,
});

/** The error of a refused request. */
const refusedAs = (exchange: Promise<unknown>): Promise<string> =>
  exchange.then(
    () => 'no error',
    (error: oidc.ResponseBodyError) => `${error.error}: ${error.error_description}`,
  );

/** How openid-client shows invalid_client with a challenge. */
const UNKNOWN = { status: 401, cause: [{ parameters: { error: 'invalid_client' } }] };

const read = (idp: Idp, token: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${URL_OF_IDP}/jwks`), { [customFetch]: idp.call }));

describe('the development IdP with enterprise-managed authorization', () => {
  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1 §4.3.4 an ID token becomes an ID-JAG for the authorization server, its client and its resource', async () => {
    await using idp = await start();
    const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'alice');
    const answer = await oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(tokens.id_token));
    expect(answer).toMatchObject({ issued_token_type: ID_JAG, token_type: 'n_a', scope: 'mcp:tools', expires_in: 300 });
    const { payload, protectedHeader } = await read(idp, answer.access_token);
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'oauth-id-jag+jwt' });
    expect(payload).toMatchObject({
      iss: URL_OF_IDP,
      sub: 'alice',
      aud: 'http://localhost:9000',
      client_id: 'terminal',
      resource: RESOURCE,
      scope: 'mcp:tools',
      email: 'alice@example.com',
      jti: expect.stringMatching(/.{16}/),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
    const again = await oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(tokens.id_token));
    expect((await read(idp, again.access_token)).payload.jti).not.toBe(payload.jti);
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.3 a refresh token gives a new ID token, which becomes an ID-JAG without a person, until it is revoked', async () => {
    await using idp = await start();
    const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'bob');
    const renewed = await oidc.refreshTokenGrant(upstream, tokens.refresh_token ?? '');
    const answer = await oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(renewed.id_token));
    expect((await read(idp, answer.access_token)).payload.sub).toBe('bob');
    await oidc.tokenRevocation(upstream, tokens.refresh_token ?? '');
    expect(await refusedAs(oidc.refreshTokenGrant(upstream, tokens.refresh_token ?? ''))).toMatch(/^invalid_grant/);
  });

  it.each([
    [
      'requested_token_type',
      'urn:ietf:params:oauth:token-type:access_token',
      'invalid_request: requested_token_type must',
    ],
    [
      'subject_token_type',
      'urn:ietf:params:oauth:token-type:access_token',
      'invalid_request: subject_token_type must be',
    ],
    ['actor_token', 'anything', 'invalid_request: actor_token is not supported'],
    ['audience', 'https://elsewhere.example', 'invalid_target: no authorization server is known'],
    ['resource', 'https://elsewhere.example/mcp', 'invalid_target: the administrator has not allowed this resource'],
    ['scope', 'mcp:admin', 'invalid_scope: the administrator has allowed none'],
    ['subject_token', 'not-a-token', 'invalid_grant: the subject token is not a valid ID token'],
  ])(
    'draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3.3 a token exchange with another %s is refused with its reason',
    async (name, value, reason) => {
      await using idp = await start();
      const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'alice');
      const wish = asked(tokens.id_token, { [name]: value });
      expect(await refusedAs(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, wish))).toContain(reason);
    },
  );

  it.each(['requested_token_type', 'subject_token', 'subject_token_type', 'audience'])(
    'RFC 8693 §2.1 a token exchange without %s is refused as invalid_request',
    async (name) => {
      await using idp = await start();
      const upstream = await configurationOf(idp, MCP_CLIENT);
      const { [name as 'audience']: _, ...wish } = asked('a-token');
      expect(await refusedAs(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, wish))).toBe(
        `invalid_request: ${name} is missing`,
      );
    },
  );

  it('Enterprise-Managed Authorization §4 without resource the only MCP server is meant, and none of several', async () => {
    const granted = async (servers: string) => {
      await using idp = await start({ DEVELOPMENT_IDP_ENTERPRISE_SERVERS: servers });
      const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'alice');
      const { resource: _, ...wish } = asked(tokens.id_token);
      return await oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, wish).then(
        async ({ access_token: token }) => (await read(idp, token)).payload.resource,
        ({ error }: oidc.ResponseBodyError) => error,
      );
    };
    expect(await granted(RESOURCE)).toBe(RESOURCE);
    expect(await granted(`${RESOURCE},http://localhost:8180/mcp`)).toBe('invalid_target');
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3.3 a person whom the administrator has not allowed gets no ID-JAG', async () => {
    await using idp = await start({ DEVELOPMENT_IDP_ENTERPRISE_PEOPLE: 'alice' });
    const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'bob');
    expect(await refusedAs(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(tokens.id_token)))).toBe(
      'access_denied: the administrator has not allowed this person to use the MCP server',
    );
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.3.3 the ID token of another client, an access token, an ID-JAG and an old ID token are no subject tokens', async () => {
    let late = 0;
    await using idp = await startIdp(ON, { now: () => Date.now() + late });
    const { upstream, tokens } = await signIn(idp, MCP_CLIENT, 'alice');
    const { tokens: others } = await signIn(idp, AUTH_SERVER, 'alice');
    const { access_token: idJag } = await oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(tokens.id_token));
    for (const token of [others.id_token, tokens.access_token, idJag]) {
      expect(await refusedAs(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(token)))).toMatch(
        /^invalid_grant/,
      );
    }
    late = 3_601_000;
    expect(await refusedAs(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked(tokens.id_token)))).toMatch(
      /^invalid_grant/,
    );
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §8.1 a client without its secret, and auth-server, get no ID-JAG', async () => {
    await using idp = await start();
    const { tokens } = await signIn(idp, MCP_CLIENT, 'alice');
    const wrong = await configurationOf(idp, { ...MCP_CLIENT, secret: 'wrong' });
    const exchange = (as: oidc.Configuration) =>
      oidc.genericGrantRequest(as, TOKEN_EXCHANGE, asked(tokens.id_token)).catch((error: unknown) => error);
    expect(await exchange(wrong)).toMatchObject(UNKNOWN);
    expect(await exchange(await configurationOf(idp))).toMatchObject({
      error_description: 'requested grant type is not allowed for this client',
    });
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §7.1 the metadata announces ID-JAGs; without the setting there is neither the grant nor the client', async () => {
    await using idp = await start();
    const metadata = async (at: Idp) =>
      (await at.call(`${URL_OF_IDP}/.well-known/openid-configuration`)).json() as Promise<Record<string, string[]>>;
    expect(await metadata(idp)).toMatchObject({
      identity_chaining_requested_token_types_supported: [ID_JAG],
      grant_types_supported: expect.arrayContaining([TOKEN_EXCHANGE]),
    });
    await using off = await startIdp();
    const plain = await metadata(off);
    expect(plain.grant_types_supported).not.toContain(TOKEN_EXCHANGE);
    expect(plain.identity_chaining_requested_token_types_supported).toBeUndefined();
    const upstream = await configurationOf(off, MCP_CLIENT);
    await expect(oidc.genericGrantRequest(upstream, TOKEN_EXCHANGE, asked('x'))).rejects.toMatchObject(UNKNOWN);
  });
});
