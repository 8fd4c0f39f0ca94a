/**
 * Proves that a client is identified by the document at its id: over real https, from the sign-in page to the last
 * refresh.
 */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedisStore } from '../../../src/storage/redis.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import {
  authorize,
  authorizePath,
  NATIVE,
  redeem,
  refresh,
  register,
  tokensFor,
  VERIFIER,
  WEB,
} from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import {
  form,
  ISSUER,
  json,
  type RunningServer,
  read,
  type ServerOptions,
  startServer,
} from '../../support/running-server.ts';

trustTestCertificate();
let host: ClientHost;
beforeEach(async () => {
  host = await ClientHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

/** A server that may fetch documents from the test's own host. */
const start = (options: ServerOptions = {}) =>
  startServer({ ...options, env: { CLIENT_METADATA_PRIVATE_HOSTS: host.name, ...options.env } });

const client = (id: string, redirectUri = WEB) => ({ id, redirectUri });

/** The text of the page at /authorize. */
async function page(server: RunningServer, id: string, redirectUri = WEB) {
  const { page: shown, outside } = await new Browser(server).follow(authorizePath(client(id, redirectUri)));
  expect(outside).toBeUndefined();
  return { status: shown?.status, text: (await shown?.text()) ?? '', headers: shown?.headers };
}

describe('draft-ietf-oauth-client-id-metadata-document §6 metadata', () => {
  it('the metadata says that client documents are supported, unless they are turned off', async () => {
    const metadata = async (env = {}) => {
      await using server = await start({ env });
      return read(await server.fetch('/.well-known/oauth-authorization-server'));
    };
    expect(await metadata()).toMatchObject({ client_id_metadata_document_supported: true });
    expect(await metadata({ CLIENT_METADATA: 'false' })).not.toHaveProperty('client_id_metadata_document_supported');
  });

  it('CLIENT_METADATA=false fetches nothing, and the client is unknown', async () => {
    await using server = await start({ env: { CLIENT_METADATA: 'false' } });
    const { status, text } = await page(server, host.publish());
    expect([status, host.seen.length]).toEqual([400, 0]);
    expect(text).toContain('not registered');
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §5.2 storage of a document', () => {
  const HOUR = 3_600;
  const aging = () => {
    const clock = new FakeClock(Date.now());
    return { clock, store: createSqliteStore(':memory:', clock) };
  };

  it('RFC 9700 §4.16 a document of an unapproved client is stored for a day, however often it is read', async () => {
    const { clock, store } = aging();
    await using server = await start({ clock, store });
    const id = host.publish();
    for (let hours = 0; hours < 24; hours += 8) {
      expect((await page(server, id)).status).toBe(200);
      clock.advance(8 * HOUR - 10);
    }
    await host.down();
    expect((await page(server, id)).status, 'its host is away').toBe(200);
    clock.advance(60);
    expect((await page(server, id)).status).toBe(400);
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §4 a published client', () => {
  it('a published client signs in and refreshes, with one fetch of its document and no registration', async () => {
    const store = createSqliteStore(':memory:', { now: () => Date.now() });
    await using server = await start({ store });
    const id = host.publish();
    const tokens = await tokensFor(server, client(id));
    const claims = JSON.parse(Buffer.from(String(tokens.access_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims.client_id).toBe(id);
    const refreshed = await refresh(server, client(id), tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(host.requests()).toBe(1);
    expect(await store.get('Client', id)).toBeUndefined();
    expect(await store.get('ClientMetadataDocument', id)).toBeDefined();
  });

  it("a client like Claude Code's is accepted: loopback without a port, no application_type", async () => {
    await using server = await start();
    const id = host.publish({
      client_name: 'Claude Code',
      client_uri: 'https://claude.ai',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    for (const redirectUri of ['http://localhost:53682/callback', 'http://127.0.0.1:8/callback']) {
      const tokens = await tokensFor(server, client(id, redirectUri));
      expect(tokens.refresh_token).toBeTruthy();
    }
    const { text } = await page(server, id, 'http://localhost:53682/elsewhere');
    expect(text).toContain('address it did not register');
  });

  it.each([
    [
      'unknown grants, response types and scopes',
      {
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
        response_types: ['code', 'token'],
        scope: 'claudeai offline_access',
      },
    ],
    ['empty members', { logo_uri: null, client_uri: '', contacts: null, scope: '' }],
    ['unsafe page URLs', { logo_uri: 'https://', client_uri: 'javascript:alert(1)', tos_uri: 7 }],
    ['unknown members', { hello: { world: [1] }, software_id: 'x' }],
    [
      'null and empty members',
      { grant_types: [], response_types: [null], token_endpoint_auth_method: null, client_secret: null, contacts: [] },
    ],
    ['the scheme of an app', { redirect_uris: [WEB, 'cursor://anysphere.cursor-retrieval/oauth/cb'] }],
  ])('a published client may have %s', async (_, change) => {
    await using server = await start();
    expect((await tokensFor(server, client(host.publish(change)))).access_token).toBeTruthy();
  });

  it('MCP security considerations: the page names the host that publishes the client, and the redirect host', async () => {
    await using server = await start();
    const web = await page(
      server,
      host.publish({ client_name: 'Bank of Everything', logo_uri: 'https://x.com/l.png' }),
    );
    expect(web.text).toMatch(new RegExp(`Published by</dt>\\s*<dd><strong><bdi>${host.name}<`));
    expect(web.text).toMatch(/unverified/);
    expect(web.text).not.toContain('l.png');
    const native = await page(server, host.publish({ redirect_uris: [NATIVE] }, {}, '/native.json'), NATIVE);
    expect(native.text).toMatch(new RegExp(`Says it is from</dt>\\s*<dd><strong><bdi>${host.name}<`));
    expect(native.text).toContain(`Any program on this computer can claim to be from <bdi>${host.name}</bdi>`);
  });

  it('a registered client is not shown as published by its own claims', async () => {
    await using server = await start();
    const { id } = await register(server, WEB, { client_name: 'claude.ai', client_uri: 'https://claude.ai' });
    expect((await page(server, id)).text).not.toContain('Published by');
  });

  it('RFC 8252 §8.6 a person is asked every time where any program can pose as the client', async () => {
    await using server = await start();
    const id = host.publish({ redirect_uris: [NATIVE] });
    const browser = new Browser(server);
    await authorize(server, client(id, NATIVE), {}, { browser });
    const again = await browser.follow(authorizePath(client(id, NATIVE)));
    expect([again.outside, again.page?.status]).toEqual([undefined, 200]);
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §8.2 a published client with keys', () => {
  const signer = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const key = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
    const assertion = (id: string) =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(id)
        .setSubject(id)
        .setAudience(ISSUER)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    return { key, assertion };
  };
  const ask = async (server: RunningServer, assertion: string, parameters: Record<string, string>) =>
    server.fetch(
      '/token',
      form({
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        redirect_uri: WEB,
        ...parameters,
      }),
    );
  const code = (value: string) => ({ grant_type: 'authorization_code', code: value, code_verifier: VERIFIER });

  it('a client with keys in its document authenticates with them, and only with them', async () => {
    await using server = await start();
    const { key, assertion } = await signer('k');
    const { assertion: foreign } = await signer('k');
    const id = host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } });
    const first = await authorize(server, client(id));
    expect((await redeem(server, client(id), first.code)).status).toBe(401);
    expect((await ask(server, await foreign(id), code(first.code))).status).toBe(401);
    const answer = await ask(server, await assertion(id), code(first.code));
    const tokens = await read(answer);
    expect([answer.status, typeof tokens.refresh_token]).toEqual([200, 'string']);
    const again = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    expect((await refresh(server, client(id), tokens.refresh_token)).status).toBe(401);
    expect((await ask(server, await assertion(id), again)).status).toBe(200);
  });

  it('keys at a jwks_uri are fetched once, follow a rotation, and survive an outage', async () => {
    const clock = new FakeClock(Date.now());
    const store = createSqliteStore(':memory:', clock);
    await using server = await start({ clock, store });
    const [old, fresh] = [await signer('old'), await signer('new')];
    const publishKeys = (...keys: object[]) =>
      host.answers.set('/jwks.json', { body: { keys }, headers: { 'content-type': 'application/jwk-set+json' } });
    publishKeys(old.key);
    const id = host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: host.url('/jwks.json') });
    const { code: first } = await authorize(server, client(id));
    let tokens = await read(await ask(server, await old.assertion(id), code(first)));
    const renew = async (by: RunningServer, assertion: string) => {
      const answer = await ask(by, assertion, {
        grant_type: 'refresh_token',
        refresh_token: String(tokens.refresh_token),
      });
      if (answer.status === 200) tokens = await read(answer);
      return answer.status;
    };
    expect(await renew(server, await old.assertion(id))).toBe(200);
    expect(host.requests('/jwks.json')).toBe(1);
    publishKeys(fresh.key);
    clock.advance(301);
    expect(await renew(server, await fresh.assertion(id))).toBe(200);
    expect(await renew(server, await old.assertion(id))).toBe(401);
    await host.down();
    clock.advance(3_601);
    await using cold = await start({ clock, store });
    expect(await renew(cold, await fresh.assertion(id))).toBe(200);
  });

  it('keys at a jwks_uri last, like the document, for CLIENT_METADATA_STALE from the last use of an approval', async () => {
    const clock = new FakeClock(Date.now());
    const store = createSqliteStore(':memory:', clock);
    await using server = await start({ clock, store });
    const { key, assertion } = await signer('k');
    host.answers.set('/jwks.json', { body: { keys: [key] } });
    const id = host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: host.url('/jwks.json') });
    const { code: first } = await authorize(server, client(id));
    const { refresh_token } = await read(await ask(server, await assertion(id), code(first)));
    await host.down();
    clock.advance(10 * 86_400);
    const again = { grant_type: 'refresh_token', refresh_token: String(refresh_token) };
    expect((await ask(server, await assertion(id), again)).status).toBe(200);
    expect((await page(server, id)).status).toBe(200);
  });

  it('a jwks_uri inside the network is refused without a request', async () => {
    await using inner = await ClientHost.start();
    await using server = await start();
    const id = host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: inner.url('/jwks.json') });
    expect((await page(server, id)).status).toBe(400);
    expect(inner.connections).toBe(0);
  });

  it('RFC 7591 §2 a registered client’s jwks_uri is read the same way, member by member (RFC 7517 §5)', async () => {
    await using server = await start();
    const { key, assertion } = await signer('k');
    const odd = [null, 'x', { kid: 'k' }, { kty: 'EC', crv: 'P-256', kid: 'k' }, { ...key, d: 'told' }];
    host.answers.set('/jwks.json', { body: { keys: [...odd, (await signer('k')).key, key] } });
    const metadata = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: host.url('/jwks.json') };
    const { id } = await register(server, WEB, metadata);
    const { code: first } = await authorize(server, client(id));
    expect((await ask(server, await assertion(id), code(first))).status).toBe(200);
    host.answers.set('/large.json', { body: { keys: [], more: 'x'.repeat(70_000) } });
    const large = await register(server, WEB, { ...metadata, jwks_uri: host.url('/large.json') });
    expect((await ask(server, await assertion(large.id), code('x'))).status).toBe(401);
  });
});

async function redisStore() {
  const redis = await startRedis();
  const log = createLogger('test', 'silent', { write: () => {} });
  const store = await createRedisStore(openRedis({ target: redisUrl().parse(redis.url), name: 'test', log }));
  return { store, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
}

describe('a published client whose host is down', () => {
  const published = async (makeStore = async (clock: FakeClock) => createSqliteStore(':memory:', clock)) => {
    const clock = new FakeClock(Date.now());
    const store = await makeStore(clock);
    const server = await start({ clock, store });
    const id = host.publish({}, { headers: { 'cache-control': 'no-store' } });
    const tokens = await tokensFor(server, client(id));
    return { clock, store, server, id, tokens };
  };

  it.for(['SQLite', 'Redis'])(
    "RFC 5861 §4 an outage of the client's host signs nobody out, also on a new replica, on %s",
    async (where, context) => {
      context.skip(where === 'Redis' && !hasRedis, NEEDS_REDIS);
      await using redis = where === 'Redis' ? await redisStore() : undefined;
      const { clock, store, server, id, tokens } = await published(redis && (async () => redis.store));
      await using _ = server;
      await host.down();
      clock.advance(86_400);
      await using cold = await start({ clock, store });
      const answer = await refresh(cold, client(id), tokens.refresh_token);
      expect(answer.status).toBe(200);
      const line = cold.log.find(({ msg }) => msg === 'client document could not be read again');
      expect(line).toMatchObject({ url: id, reason: 'connection' });
      expect((await tokensFor(cold, client(id))).access_token).toBeTruthy();
    },
  );

  it('RFC 9110 §15.5.11 a client that withdraws its document is refused, and the page says so', async () => {
    const { clock, server, id, tokens } = await published();
    await using _ = server;
    host.answers.set('/client.json', { status: 410 });
    clock.advance(61);
    const answer = await refresh(server, client(id), tokens.refresh_token);
    expect([answer.status, (await read(answer)).error]).toEqual([401, 'invalid_client']);
    expect((await page(server, id)).text).toContain('missing or invalid');
  });

  it('a person on the page is told that the app was withdrawn, and not that the server failed', async () => {
    const { clock, server, id } = await published();
    await using _ = server;
    const browser = new Browser(server);
    const { hops } = await browser.follow(authorizePath(client(id)));
    host.answers.set('/client.json', { status: 410 });
    clock.advance(61);
    const shown = await browser.visit(hops.at(-1) ?? '');
    expect(shown.status).toBe(400);
    expect(await shown.text()).toContain('missing or invalid');
  });
});

describe('an unusable document', () => {
  it.each<[string, Parameters<ClientHost['publish']>, string, RegExp]>([
    ['is not there', [{}, { status: 404 }], 'missing', /missing or invalid/],
    ['is HTML', [{}, { body: '<p>', headers: { 'content-type': 'text/html' } }], 'content_type', /missing or invalid/],
    ['is cut off', [{}, { body: '{"client_id":' }], 'not_json', /missing or invalid/],
    ['is too large', [{ more: 'x'.repeat(6_000) }], 'too_large', /missing or invalid/],
    ['is packed', [{}, { headers: { 'content-encoding': 'gzip' } }], 'encoding', /missing or invalid/],
    ['is about another client', [{ client_id: 'https://other.com/c' }], 'client_id_mismatch', /missing or invalid/],
    ['has a secret', [{ client_secret: 'hunter2' }], 'shared_secret', /missing or invalid/],
    ['has a dangerous redirect', [{ redirect_uris: ['javascript:alert(1)'] }], 'invalid', /missing or invalid/],
    ['has a plain http redirect', [{ redirect_uris: ['http://app.example/cb'] }], 'invalid', /missing or invalid/],
    ['has unusable keys', [{ token_endpoint_auth_method: 'private_key_jwt' }], 'invalid', /missing or invalid/],
    [
      'moved',
      [{}, { status: 302, headers: { location: 'https://127.0.0.1/' } }],
      'status',
      /does not give this server the document.*the operator/,
    ],
    [
      'is kept from this server',
      [{}, { status: 403 }],
      'status',
      /does not give this server the document.*the operator/,
    ],
    ['is behind a failure', [{}, { status: 503 }], 'status', /answered with a server error.*the maker of the app/],
  ])('a client whose document %s is refused, on a page with the reason', async (_, published, reason, words) => {
    await using server = await start();
    const id = host.publish(...published);
    const shown = await page(server, id);
    expect(shown.status).toBe(400);
    expect(shown.text).toMatch(words);
    expect(shown.text).toContain('localhost');
    expect(shown.text).not.toMatch(/hunter2|ECONN|answered \d|127\.0\.0\.1/);
    expect(shown.headers?.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const line = server.log.find(({ msg }) => msg === 'authorization refused');
    expect(line?.document).toEqual({ host: 'localhost', reason });
    const answer = await redeem(server, client(id), 'code');
    expect([answer.status, (await read(answer)).error]).toEqual([401, 'invalid_client']);
    expect(host.requests()).toBe(1);
  });

  it('a program gets the refusal in JSON, without network details', async () => {
    await using server = await start();
    await host.down();
    const path = authorizePath(client(host.url()));
    const answer = await server.fetch(path, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(400);
    expect(await read(answer)).toEqual({
      error: 'invalid_client',
      error_description: 'This app could not be checked',
      state: 'the-state',
      iss: ISSUER,
    });
    for (const init of [form({ token: 'x', client_id: host.url() })]) {
      expect((await server.fetch('/revoke', init)).status).toBe(401);
    }
  });
});

describe('CWE-918 a client id with an internal address', () => {
  it.each([
    'https://127.0.0.1/c',
    'https://[::1]/c',
    'https://[::ffff:127.0.0.1]/c',
    'https://0.0.0.0/c',
    'https://2130706433/c',
    'https://localhost/c',
    'https://app.localhost/c',
    'https://169.254.169.254/latest/meta-data',
    'https://metadata.google.internal/c',
  ])('the client id %s causes no connection', async (url) => {
    await using server = await startServer();
    const inner = new URL(url);
    inner.port = String(host.port);
    for (const id of [url, inner.href]) {
      const shown = await page(server, id);
      expect(shown.status).toBe(400);
      expect(shown.text).toMatch(/not accepted|not registered/);
      expect((await redeem(server, client(id), 'code')).status).toBe(401);
    }
    expect(host.connections).toBe(0);
  });

  it('a host listed as private allows no other host', async () => {
    await using inner = await ClientHost.start();
    await using server = await start();
    expect((await page(server, inner.publish())).status).toBe(400);
    expect(inner.connections).toBe(0);
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §8.8 policy', () => {
  it.each([
    [{ CLIENT_METADATA_ALLOW: 'claude.ai' }],
    [{ CLIENT_METADATA_DENY: 'localhost' }],
    [{ CLIENT_METADATA_ALLOW: 'localhost', CLIENT_METADATA_DENY: '*' }],
  ])('%j: a client that the policy excludes is refused, and nothing is fetched', async (env) => {
    await using server = await start({ env });
    const shown = await page(server, host.publish());
    expect(shown.text).toContain('not accepted here');
    expect(host.connections).toBe(0);
    expect(server.log.find(({ msg }) => msg === 'authorization refused')?.document).toEqual({
      host: 'localhost',
      reason: 'denied_by_policy',
    });
  });

  it('RFC 6585 §4 a caller with too many unknown clients has to wait, and known clients go on', async () => {
    await using server = await start({ env: { CLIENT_METADATA_LIMIT: '2' } });
    const known = host.publish();
    expect((await page(server, known)).status).toBe(200);
    expect((await page(server, host.url('/1'))).status).toBe(400);
    const { status, text, headers } = await page(server, host.url('/2'));
    expect([status, Number(headers?.get('retry-after')) > 0]).toEqual([429, true]);
    expect(text).toContain('Too many');
    expect(host.requests('/2')).toBe(0);
    const answer = await redeem(server, client(host.url('/3')), 'code');
    expect([answer.status, (await read(answer)).error]).toEqual([429, 'too_many_requests']);
    expect((await page(server, known)).status).toBe(200);
  });
});

it('draft-ietf-oauth-client-id-metadata-document §8.9 a client id that this server issues is never a URL', async () => {
  await using server = await start();
  const { client_id: id } = await read(await server.fetch('/register', json({ redirect_uris: [WEB] })));
  expect(String(id)).not.toMatch(/^https:/);
  const claimed = await read(await server.fetch('/register', json({ redirect_uris: [WEB], client_id: host.url() })));
  expect(claimed.client_id).not.toBe(host.url());
});
