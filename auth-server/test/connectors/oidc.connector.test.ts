/** Proves that sign-in with an OpenID provider keeps the connector contract, and tolerates what real providers do. */
import { exportJWK, generateKeyPair, type JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import oidc from '../../src/connectors/oidc.connector.ts';
import { checks, connectorContract } from '../contracts/connector.contract.ts';
import { ClientHost } from '../support/client-host.ts';
import { metadata, open, type Play, settings, signIn, start } from '../support/oidc-stand-in.ts';

connectorContract('oidc', (timeout) => start('', undefined, { timeout }));

describe('oidc: validation of an id token', () => {
  it.each([
    ['OpenID Connect Core §3.1.3.7 another nonce', { nonce: 'of-another-login' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'somebody-else' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['no subject', { sub: undefined }],
    ['an end in the past', { exp: 1 }],
  ] as const)('an id token with %s is refused', async (_, claims) => {
    const failed = signIn((play) => {
      play.claims = { ...claims } as JWTPayload;
    });
    await expect(failed).rejects.toMatchObject({ reason: 'invalid_answer' });
  });

  it('an id token signed by another key is refused', async () => {
    const stranger = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(stranger.publicKey)), alg: 'RS256', kid: '1' };
    const failed = signIn(({ stage }) => stage.routes.set('/jwks', () => ({ keys: [jwk] })));
    await expect(failed).rejects.toMatchObject({ reason: 'invalid_answer' });
  });
});

describe('oidc: the identity that is returned', () => {
  it('an e-mail address is used only when the provider says that it is verified', async () => {
    const email = 'alice@example.com';
    const with_ = (claims: JWTPayload) =>
      signIn((play) => {
        play.claims = claims;
      });
    expect((await with_({ email, email_verified: true })).email).toBe(email);
    expect((await with_({ email, email_verified: 'true' })).email).toBe(email);
    expect((await with_({ email, email_verified: false })).email).toBeUndefined();
    expect((await with_({ email })).email).toBeUndefined();
  });

  it('userinfo fills in what the id token leaves out, and only for the same subject', async () => {
    const said = { name: 'Alice', email: 'alice@example.com', email_verified: true };
    const from = (sub: string) => signIn(({ stage }) => stage.routes.set('/userinfo', () => ({ sub, ...said })));
    expect(await from('opaque|0001/ü')).toMatchObject({ name: 'Alice', email: 'alice@example.com' });
    expect((await from('somebody else')).email).toBeUndefined();
  });

  it('an issuer with a path is accepted, if metadata and id token agree on a final slash', async () => {
    expect(await signIn(undefined, '/realms/acme')).toMatchObject({ issuer: expect.stringMatching(/\/realms\/acme$/) });
    const slash = ({ stage, issuer }: Play) =>
      stage.routes.set('/realms/acme/.well-known/openid-configuration', () => ({
        ...metadata(issuer),
        issuer: `${issuer}/`,
      }));
    await expect(signIn(slash, '/realms/acme')).rejects.toMatchObject({ reason: 'invalid_answer' });
  });
});

describe('oidc: a provider with an internal URL', () => {
  const PUBLIC = 'https://id.example.com';
  const discovery = '/.well-known/openid-configuration';

  it.each([
    ['its root', '', PUBLIC],
    ['a path', '/realms/staff', `${PUBLIC}/realms/staff`],
    ['a path that begins elsewhere', '/auth/realms/staff', `${PUBLIC}/realms/staff`],
    ['another path', '/oidc', `${PUBLIC}/tenants/one`],
  ])('OpenID Connect Core §3.1 sign-in at %s: only the browser goes to the public URL', async (_, path, publicUrl) => {
    await using upstream = await start(path, publicUrl);
    upstream.stage.routes.set(`${path}/userinfo`, () => ({ sub: upstream.subject, name: 'Alice' }));
    const page = await upstream.connector.begin(checks);
    expect(page.href).toMatch(`${publicUrl}/authorize?`);
    const answer = await upstream.signIn(page);
    answer.searchParams.set('iss', publicUrl);
    expect(await upstream.connector.finish(answer, checks)).toMatchObject({
      identity: { issuer: publicUrl, name: 'Alice' },
    });
  });

  it('endpoints named by the internal host are used internally, and browsers see the public URL', async () => {
    await using upstream = await start('/auth/realms/staff', `${PUBLIC}/realms/staff`);
    const { issuer, stage } = upstream;
    const asked = metadata(`${stage.url}/auth/realms/staff`);
    stage.routes.set(`/auth/realms/staff${discovery}`, () => ({ ...asked, issuer }));
    const page = await upstream.connector.begin(checks);
    expect(page.href).toMatch(`${PUBLIC}/realms/staff/authorize?`);
    expect(await upstream.connector.finish(await upstream.signIn(page), checks)).toMatchObject({
      identity: { issuer },
    });
  });

  it('Discovery §4.3 metadata that names the internal URL as its issuer is refused', async () => {
    await using upstream = await start('', PUBLIC);
    upstream.stage.routes.set(discovery, () => metadata(upstream.stage.url));
    await expect(upstream.connector.begin(checks)).rejects.toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining(`${upstream.stage.url}${discovery} can't be used: its issuer is`),
    });
  });

  it('RFC 9207 §2.4 an answer from the internal issuer is refused', async () => {
    await using upstream = await start('', PUBLIC);
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    answer.searchParams.set('iss', upstream.stage.url);
    await expect(upstream.connector.finish(answer, checks)).rejects.toMatchObject({ reason: 'invalid_answer' });
  });

  it('a client secret goes over plain http only to the internal URL', async () => {
    await using upstream = await start('', PUBLIC);
    await using stranger = await start();
    upstream.stage.routes.set(discovery, () => ({
      ...metadata(PUBLIC),
      token_endpoint: `${stranger.stage.url}/token`,
    }));
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    await expect(upstream.connector.finish(answer, checks)).rejects.toMatchObject({ reason: 'invalid_answer' });
    expect(stranger.redeemed()).toBeUndefined();
  });

  it.each([discovery, '/token', '/jwks'])('a redirect from the internal URL is not followed: %s', async (path) => {
    await using stranger = await start('', PUBLIC);
    await using upstream = await start('', PUBLIC);
    upstream.stage.redirects.set(path, stranger.stage.url + path);
    const signedIn = async () =>
      upstream.connector.finish(await upstream.signIn(await upstream.connector.begin(checks)), checks);
    await expect(signedIn()).rejects.toMatchObject({ name: 'UpstreamError' });
    expect(stranger.stage.asked).toEqual([]);
  });
});

describe('oidc: requests to the provider', () => {
  it.each([
    ['client_secret_basic', `Basic ${btoa('client:secret')}`, null],
    ['client_secret_post', undefined, 'secret'],
    ['none', undefined, null],
  ] as const)('RFC 6749 §2.3.1 the client authenticates with %s', async (clientAuth, authorization, inBody) => {
    await using upstream = await start();
    const connector = open(upstream.issuer, { clientAuth });
    await connector.finish(await upstream.signIn(await connector.begin(checks)), checks);
    expect(upstream.redeemed()?.authorization).toBe(authorization);
    expect(upstream.redeemed()?.form.get('client_secret')).toBe(inBody);
  });

  it('RFC 6749 §2.3.1 Basic encodes only what must be, because some providers do not decode it', async () => {
    await using upstream = await start();
    const connector = open(upstream.issuer, { clientId: 'mcp-server_1.0*', clientSecret: 'a-b_c.d e+f:g%h£' });
    await connector.finish(await upstream.signIn(await connector.begin(checks)), checks).catch(() => undefined);
    const sent = atob(upstream.redeemed()?.authorization?.replace('Basic ', '') ?? '');
    expect(sent).toBe('mcp-server_1.0*:a-b_c.d+e%2Bf%3Ag%25h%C2%A3');
  });

  it('the provider may start later: metadata is fetched again after a failure, and then kept', async () => {
    await using upstream = await start();
    const path = '/.well-known/openid-configuration';
    const found = upstream.stage.routes.get(path);
    upstream.stage.routes.delete(path);
    await expect(upstream.connector.begin(checks)).rejects.toMatchObject({ reason: 'unavailable' });
    upstream.stage.routes.set(path, found ?? (() => undefined));
    await upstream.connector.begin(checks);
    upstream.stage.routes.delete(path);
    expect((await upstream.connector.begin(checks)).pathname).toBe('/authorize');
  });

  it('the log names what keeps this server from the provider', async () => {
    await using host = await ClientHost.start();
    const gone = await start();
    await gone.stop();
    await using upstream = await start();
    upstream.stage.routes.set('/.well-known/openid-configuration', () => 'not metadata');
    for (const [issuer, reason] of [
      [`https://${host.name}`, /openid-configuration could not be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/],
      [gone.issuer, /openid-configuration could not be reached \(ECONNREFUSED\)$/],
      [upstream.issuer, /openid-configuration can't be used: .*expected a JSON object/s],
    ] as const) {
      const failed = open(issuer).begin(checks);
      await expect(failed).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringMatching(reason) });
    }
  });

  it('Discovery §4.3 metadata of another issuer is refused', async () => {
    await using upstream = await start();
    upstream.stage.routes.set('/.well-known/openid-configuration', () => metadata('https://evil.example'));
    await expect(upstream.connector.begin(checks)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  it.each([
    ['http that is not on this machine', { issuer: 'http://id.example.com' }, 'ISSUER'],
    ['an internal URL of http that is not inside', { internalUrl: 'http://id.example.com' }, 'INTERNAL_URL'],
    ['no secret', { clientSecret: undefined }, 'CLIENT_SECRET'],
    ['scopes without openid', { scopes: 'profile' }, 'SCOPES'],
  ])('a configuration with %s is refused', (_, change, variable) => {
    const problems = oidc.rules?.({ ...settings, issuer: 'https://id.example.com', ...change }) ?? [];
    expect(problems.map(({ env }) => env)).toEqual([variable]);
  });
});
