/**
 * Proves the bounds on what an unauthenticated request leaves in the store (RFC 9700 §4.16, RFC 7591 §5): the size of
 * each record, and the total at the default limits, measured in a Redis and printed.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createRedisStore } from '../../../src/storage/redis.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorizePath, NATIVE, register, type TestClient, WEB } from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import { askForCodes, ON, registerDevice } from '../../support/device.ts';
import { form, ISSUER, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const KIB = 1_024;
const MB = 1_000_000;

describe('RFC 9700 §4.16 a request of an unknown caller', () => {
  let server: RunningServer;
  let client: TestClient;
  beforeAll(async () => {
    server = await startServer({ env: { REGISTRATION_LIMIT: '1000' } });
    client = await register(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const authorize = (parameters: Record<string, string>) =>
    server.fetch(authorizePath(client, parameters), { headers: { accept: 'text/html' } });
  const push = (parameters: Record<string, string>) => {
    const body = new URLSearchParams(authorizePath(client).split('?')[1]);
    for (const [name, value] of Object.entries(parameters)) body.set(name, value);
    return server.fetch('/par', { method: 'POST', body });
  };
  const error = async (response: Response) => [response.status, (await read(response)).error];

  it.each(['state', 'nonce', 'login_hint', 'ui_locales', 'acr_values', 'scope', 'id_token_hint'])(
    'a request may have 4 KiB of %s, and is refused with more at /authorize and /par',
    async (name) => {
      const scopes = Array.from({ length: 1_000 }, (_, n) => `scope-${n}`).join(' ');
      const parameters = (length: number) => ({
        scope: 'openid mcp:tools',
        [name]: (name === 'scope' ? scopes : 'x'.repeat(length)).slice(0, length),
      });
      const isGood = !['scope', 'id_token_hint'].includes(name);
      if (isGood) expect((await push(parameters(4 * KIB))).status).toBe(201);
      if (isGood) expect((await authorize(parameters(4 * KIB))).status).toBe(303);
      expect(await error(await push(parameters(4 * KIB + 1)))).toEqual([400, 'invalid_request']);
      const refused = await authorize(parameters(4 * KIB + 1));
      expect(refused.headers.get('location') ?? '').not.toContain('/interaction/');
    },
  );

  it('the size is counted in bytes, over all values of a repeated parameter', async () => {
    expect(await error(await push({ state: 'é'.repeat(2 * KIB + 1) }))).toEqual([400, 'invalid_request']);
    const body = new URLSearchParams(authorizePath(client).split('?')[1]);
    for (let n = 0; n < 300; n += 1) body.append('resource', 'http://localhost:8080/mcp');
    expect(await error(await server.fetch('/par', { method: 'POST', body }))).toEqual([400, 'invalid_request']);
  });

  it('a request may have 8 KiB of parameters together, and is refused with more', async () => {
    const [state, nonce] = ['s'.repeat(4 * KIB), 'n'.repeat(3 * KIB)];
    const scope = 'openid mcp:tools';
    expect((await push({ state, nonce, scope })).status).toBe(201);
    expect(await error(await push({ state, nonce, scope, login_hint: 'x'.repeat(KIB) }))).toEqual([
      400,
      'invalid_request',
    ]);
  });

  it.each([
    ['/token', 'code', { grant_type: 'authorization_code', code_verifier: 'x'.repeat(43) }],
    ['/token', 'refresh_token', { grant_type: 'refresh_token' }],
    ['/revoke', 'token', {}],
    ['/par', 'client_secret', {}],
    ['/token', 'client_assertion', { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }],
  ])('a credential at %s may have 16 KiB: %s', async (path, name, parameters) => {
    const ask = async (length: number) =>
      read(await server.fetch(path, form({ client_id: client.id, ...parameters, [name]: 'x'.repeat(length) })));
    const tooLong = { error: 'invalid_request', error_description: `${name} is longer than ${16 * KIB} bytes` };
    expect(await ask(16 * KIB + 1)).toEqual(tooLong);
    expect(await ask(16 * KIB).catch(() => ({}))).not.toEqual(tooLong);
  });

  it('RFC 7591 §3.2.2 a registration may have 16 KiB of metadata, and is refused with more, announced or not', async () => {
    const sized = (size: number) => {
      const bare = { redirect_uris: [WEB], token_endpoint_auth_method: 'none' };
      return { ...bare, contacts: contacts(size - JSON.stringify({ ...bare, contacts: [] }).length) };
    };
    expect(JSON.stringify(sized(16 * KIB))).toHaveLength(16 * KIB);
    expect((await server.fetch('/register', json(sized(16 * KIB)))).status).toBe(201);
    const larger = JSON.stringify({ ...sized(16 * KIB), hello: 'x' });
    expect(await error(await server.fetch('/register', json(larger)))).toEqual([400, 'invalid_client_metadata']);
    const streamed = await server.fetch('/register', {
      ...json(''),
      body: new Blob([larger]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(await error(streamed)).toEqual([400, 'invalid_client_metadata']);
    const nested = `{"redirect_uris":["${WEB}"],"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect((await server.fetch('/register', json(nested))).status).toBe(400);
  });

  it('a large request counts once for each KiB, and never for more than the limit', async () => {
    await using limited = await startServer({ env: { REGISTRATION_LIMIT: '4', AUTHORIZATION_LIMIT: '4' } });
    const post = async (size: number) =>
      (await limited.fetch('/register', json({ redirect_uris: [NATIVE], contacts: contacts(size) }))).status;
    expect([await post(1_900), await post(1_900), await post(100)]).toEqual([201, 201, 429]);
    const app = { id: 'nobody', redirectUri: WEB };
    const visit = async (state: string) => (await limited.fetch(authorizePath(app, { state }))).status;
    expect([await visit('x'.repeat(4_000)), await visit('x')]).toEqual([400, 429]);
  });

  it('concurrent continuations of one request with one cookie leave one interaction', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    const racers = 9;
    let waiting = 0;
    let allHaveRead = () => {};
    const together = new Promise<void>((resolve) => {
      allHaveRead = resolve;
    });
    const get: RecordStore['get'] = async (kind, id) => {
      const found = await store.get(kind, id);
      if (kind === 'Interaction' && ++waiting === racers) allHaveRead();
      if (kind === 'Interaction') await together;
      return found;
    };
    await using raced = await startServer({ store: { ...store, get } });
    const begun = await raced.fetch(authorizePath(await register(raced)));
    const cookie = begun.headers.getSetCookie().map((line) => line.split(';')[0]);
    const [, uid = ''] = /interaction\/([^/?]+)/.exec(begun.headers.get('location') ?? '') ?? [];
    const goOn = () => raced.fetch(`/authorize/${uid}`, { headers: { cookie: cookie.join('; ') } });
    const statuses = (await Promise.all(Array.from({ length: racers }, goOn))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([303, ...Array(racers - 1).fill(400)]);
  });

  it('login states and client assertions are kept within the same limit', async () => {
    await using limited = await startServer({ env: { AUTHORIZATION_LIMIT: '2' } });
    const app = await register(limited);
    const revoke = async () => (await limited.fetch('/revoke', form({ client_id: app.id, token: 'x' }))).status;
    expect([await revoke(), await revoke(), await revoke()]).toEqual([200, 200, 429]);
    const approve = await approval(limited, app);
    expect([await approve(), await approve(), await approve()].map(({ status }) => status)).toEqual([303, 303, 429]);
  });
});

interface Left {
  readonly what: string;
  /** The limit of one address per hour, and the limit for all addresses where there is one. */
  readonly hourly: number;
  readonly run: () => Promise<Response>;
  readonly cost?: number;
}

describe('RFC 9700 §4.16 the total storage of unknown callers at the default limits', () => {
  it('the total is far below the memory of the shipped Redis', async (context) => {
    context.skip(!hasRedis, NEEDS_REDIS);
    await using redis = await startRedis();
    const open = () =>
      openRedis({ target: redisUrl().parse(redis.url), name: 'test', log: createLogger('test', 'silent') });
    const looking = open();
    trustTestCertificate();
    await using host = await ClientHost.start();
    const env = { CLIENT_METADATA_PRIVATE_HOSTS: host.name, ...ON };
    await using server = await startServer({ env, store: await createRedisStore(open()) });
    const app = await register(server);
    const keyed = await keyedClient(server, (key) => ({ jwks: { keys: [key] } }));
    const published = await keyedClient(server, (key) => {
      host.answers.set('/keys.json', { body: { keys: [key, { kty: 'none', x: 'x'.repeat(64 * KIB - 300) }] } });
      return { jwks_uri: host.url('/keys.json') };
    });
    const document = () => {
      const id = host.publish({
        client_uri: `https://a.example/${'x'.repeat(2_000)}`,
        tos_uri: `https://a.example/${'x'.repeat(2_000)}`,
      });
      return server.fetch(authorizePath({ id, redirectUri: WEB }));
    };
    const query = (size: number) => {
      const left = size - authorizePath(app, { nonce: '', scope: 'openid' }).length - '/authorize?'.length;
      const fill = (room: number) => 'x'.repeat(Math.max(0, Math.min(4_000, room)));
      return { scope: 'openid', state: fill(left), nonce: fill(left - 4_000) };
    };
    const authorize = (size: number) => () => server.fetch(authorizePath(app, query(size)));
    const push = (size: number) => () =>
      server.fetch('/par', {
        method: 'POST',
        body: new URLSearchParams(authorizePath(app, query(size)).split('?')[1]),
      });
    const registration = (size: number) => () =>
      server.fetch('/register', json({ redirect_uris: [WEB], contacts: contacts(size - 100) }));
    const pushed = async () => {
      const { request_uri } = await read(await push(8_000)());
      return server.fetch(`/authorize?${new URLSearchParams({ client_id: app.id, request_uri: String(request_uri) })}`);
    };
    const approved = await approval(server, app);
    const device = await registerDevice(server);
    const codes = (size: number) => () => askForCodes(server, device, { ...query(size), scope: 'openid mcp:tools' });
    const revoked = async () => server.fetch('/revoke', form(await keyed()));

    const hour = 3_000 * 60;
    const kinds: readonly (Left & { readonly kind: string })[] = [
      ...[400, KIB, 8 * KIB].flatMap((size) => [
        {
          what: `/authorize, ${size} bytes`,
          kind: 'Interaction',
          hourly: hour,
          run: authorize(size),
          cost: size / KIB,
        },
        {
          what: `/par, ${size} bytes`,
          kind: 'PushedAuthorizationRequest',
          hourly: hour,
          run: push(size),
          cost: size / KIB,
        },
      ]),
      { what: '/authorize of a pushed request', kind: 'Interaction', hourly: hour, run: pushed, cost: 8 },
      { what: 'approval on the page', kind: 'LoginState', hourly: hour, run: approved },
      { what: 'sign-in to a page', kind: 'LoginState', hourly: hour, run: () => server.fetch('/sign-in') },
      { what: '/revoke with an assertion', kind: 'ReplayDetection', hourly: hour, run: revoked },
      ...[100, KIB, 8_000].map((size) => ({
        what: `/device_authorization, ${size} bytes`,
        kind: 'DeviceCode',
        hourly: 600,
        run: codes(size),
        cost: size / KIB,
      })),
      { what: '/device', kind: 'Session', hourly: 600, run: () => server.fetch('/device') },
      { what: 'a document of a client', kind: 'ClientMetadataDocument', hourly: 60, run: document },
      {
        what: 'keys at a jwks_uri',
        kind: 'ClientKeySet',
        hourly: 60,
        run: async () => server.fetch('/revoke', form(await published())),
      },
      ...[200, KIB, 16_000].map((size) => ({
        what: `/register, ${size} bytes`,
        kind: 'Client',
        hourly: 300,
        run: registration(size),
        cost: size / KIB,
      })),
    ];
    const steady = new Map<string, number>();
    for (const { what, kind, hourly, run, cost = 1 } of kinds) {
      const before = new Set(await keysOf(looking, kind));
      const { status } = await run();
      expect(status, what).toBeLessThan(400);
      const added = (await keysOf(looking, kind)).filter((key) => !before.has(key));
      expect(added, what).toHaveLength(1);
      const [bytes, lifetime] = await measured(looking, added[0] ?? '');
      const perHour = (hourly / Math.max(1, Math.ceil(cost))) * bytes;
      const total = (perHour * lifetime) / 3_600;
      steady.set(kind, Math.max(steady.get(kind) ?? 0, total));
      const figures = [`${bytes} bytes each`, `${lifetime} s`, `${mb(perHour)} an hour`, `${mb(total)} steady`];
      process.stdout.write(`one address: ${what}: ${figures.join(', ')}\n`);
    }
    looking.disconnect();
    const everybody = ((steady.get('Client') ?? 0) * GLOBAL) / 300;
    const total = [...steady.values()].reduce((sum, bytes) => sum + bytes, 0);
    process.stdout.write(`one address in all: ${mb(total)}; registrations of all addresses: ${mb(everybody)}\n`);
    expect(total).toBeLessThan(350 * MB);
    expect(everybody).toBeLessThan(200 * MB);
  });
});

/** REGISTRATION_LIMIT_GLOBAL */
const GLOBAL = 3_000;
const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
const keysOf = (redis: RedisClient, kind: string): Promise<string[]> => redis.keys(`as:v1:${kind}:*`);

async function measured(redis: RedisClient, key: string): Promise<[bytes: number, lifetime: number]> {
  return [Number(await redis.memory('USAGE', key)), await redis.ttl(key)];
}

/** A JSON list of this many bytes, of different URIs that a registration accepts. */
function contacts(size: number): string[] {
  const [host, quotes] = ['@a.example', 3];
  const count = Math.ceil(size / 1_000);
  const room = size + 1 - count * (host.length + quotes);
  return Array.from(
    { length: count },
    (_, n) =>
      String.fromCharCode(97 + (n % 26)).repeat(Math.floor((room * (n + 1)) / count) - Math.floor((room * n) / count)) +
      host,
  );
}

/** Sends the form of an open sign-in page repeatedly. */
async function approval(server: RunningServer, client: TestClient): Promise<() => Promise<Response>> {
  const browser = new Browser(server);
  const { page } = await browser.follow(authorizePath(client));
  const text = (await page?.text()) ?? '';
  const [, action = ''] = /action="([^"]+approve)"/.exec(text) ?? [];
  const [, token = ''] = /name="token" value="([^"]+)"/.exec(text) ?? [];
  return () => browser.visit(action, { ...form({ token, connector: 'acme' }), headers: { origin: ISSUER } });
}

/** A client with a key, which any caller can register; returns the parameters of a revocation that it authenticates. */
async function keyedClient(
  server: RunningServer,
  keysOf: (key: object) => object,
): Promise<() => Promise<Record<string, string>>> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k' };
  const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt', ...keysOf(key) };
  const { client_id: id } = await read(await server.fetch('/register', json(metadata)));
  return async () => ({
    token: 'unknown',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(String(id))
      .setSubject(String(id))
      .setAudience(ISSUER)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey),
  });
}
