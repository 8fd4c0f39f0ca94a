/**
 * Proves that a new user gets from a fresh clone to a signed-in call with README's own commands, on a real engine:
 * which services run, what is reachable from outside, and who is still signed in after a restart of everything.
 */
import { once } from 'node:events';
import { get, type IncomingMessage, request } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, open, signIn } from '../support/browser.ts';
import { ClientState } from '../support/client-state.ts';
import { type Driver, drivers } from '../support/drivers.ts';
import { OAuthClient, send } from '../support/oauth-client.ts';
import type { Stack } from '../support/stack.ts';
import { Composed, type Running } from './composed.ts';
import { print } from './figures.ts';
import { commandsUnder } from './readme.ts';

/** Seconds from built images until every service is healthy. */
const HEALTHY_WITHIN = 60;

const SERVICES = ['auth-server', 'development-idp', 'gateway', 'mcp-server', 'redis', 'redis-authorization'];

/** The clients of the other tests, and the newest one at the path of the old transport. */
const everyClient: readonly Driver[] = [
  ...drivers,
  ...drivers
    .filter(({ name }) => name.startsWith('SDK v2'))
    .map((driver) => ({ ...driver, name: 'SDK v2, Streamable HTTP at /sse', path: '/sse' })),
];

interface Rights {
  readonly ReadonlyRootfs: boolean;
  readonly CapDrop: readonly string[];
  readonly Privileged: boolean;
  readonly SecurityOpt: readonly string[];
  readonly Init: boolean;
  readonly PidsLimit: number;
}

describe("README's compose section", () => {
  const composed = new Composed('mcp-oauth-up');
  const origin = composed.url;
  let running: readonly Running[] = [];
  let browser: Browser;
  let alice: BrowserContext;
  let callback: TestServer;
  /** The state of each client: registration and tokens. */
  const states = new Map<string, ClientState>();

  beforeAll(async () => {
    [browser, callback] = await Promise.all([
      launchBrowser(),
      serve((_, res) => res.end('You can close this window.')),
    ]);
    alice = await browser.newContext();
  });
  afterAll(async () => {
    await browser?.close();
    await callback?.close();
    await composed[Symbol.asyncDispose]();
  }, 120_000);

  const [first = '', ...others] = commandsUnder('Docker compose');
  const count = (service: string) => running.filter((container) => container.service === service).length;
  const unhealthy = async () => {
    running = await composed.running();
    return running.filter(({ health }) => health !== 'healthy' && health !== undefined);
  };
  const at = (path: string, init?: RequestInit) => send(origin + path, init);

  it(`README's first command starts everything from nothing: ${first}`, async () => {
    expect(first).toBe('docker compose up -d --build --wait');
    const built = await composed.timed('docker compose build');
    const up = await composed.timed(first);
    expect(await unhealthy()).toEqual([]);
    expect(running.map(({ service }) => service).sort()).toEqual(SERVICES);
    expect(up).toBeLessThan(HEALTHY_WITHIN);
    print('up from nothing', `built in ${built.toFixed(1)} s, all healthy ${up.toFixed(1)} s later`);
  }, 300_000);

  it('only the gateway publishes ports, and on loopback', () => {
    const published = running.flatMap(({ service, published }) => published.map((address) => `${service} ${address}`));
    const { port } = new URL(origin);
    const idp = process.env.DEVELOPMENT_IDP_PORT ?? '9001';
    expect(published.sort()).toEqual([`gateway 127.0.0.1:${port}`, `gateway 127.0.0.1:${idp}`].sort());
  });

  it('every container runs without privileges, on a read-only file system', async () => {
    for (const { name } of running) {
      const { ReadonlyRootfs, CapDrop, Privileged, SecurityOpt, Init, PidsLimit } = await composed.inspect<Rights>(
        name,
        '.HostConfig',
      );
      expect({ ReadonlyRootfs, CapDrop, Privileged, Init }, name).toEqual({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Privileged: false,
        Init: true,
      });
      expect(SecurityOpt).toEqual(['no-new-privileges:true']);
      expect(PidsLimit).toBeGreaterThan(0);
      const users = (await composed.docker('top', name, '-eo', 'pid,uid'))
        .split('\n')
        .map((line) => line.split(/\s+/)[1]);
      expect(users, name).not.toContain('0');
    }
  });

  it.each(everyClient)('$name: 401, discovery, registration, sign-in in Chromium, a tool, refresh', async (driver) => {
    const state = new ClientState(`${callback.url}/callback`);
    states.set(driver.name, state);
    const url = new URL(origin + driver.path);
    await expect(driver.connect(url, state)).rejects.toSatisfy(driver.isUnauthorized);
    const asked = state.takeAuthorizationUrl();
    expect(asked.origin, 'the authorization server is at the one origin').toBe(origin);
    const answer = await signIn(alice, asked);
    expect(answer.searchParams.get('iss'), 'RFC 9207 §2 iss').toBe(origin);
    await driver.finish(url, state, answer);
    await calls(driver, state);
    state.spoilAccessToken();
    await calls(driver, state);
  });

  async function calls(driver: Driver, state: ClientState): Promise<void> {
    const client = await driver.connect(new URL(origin + driver.path), state);
    expect((await client.call('sum', { a: 1, b: 2 })).text).toContain('3');
    const told: number[] = [];
    await client.call('countdown', { from: 3, interval_ms: 50 }, (step) => told.push(step));
    expect(told.length, 'progress is not held back').toBeGreaterThanOrEqual(3);
    expect(await client.call('confirm', { question: 'Go on?' })).toMatchObject({ isError: false });
    await client.close();
  }

  it('RFC 9728 §3 and RFC 8414 §3: the metadata of both services is at the one origin and names it', async () => {
    for (const suffix of ['', '/mcp', '/sse']) {
      const { json } = await at(`/.well-known/oauth-protected-resource${suffix}`);
      expect(json).toMatchObject({ resource: origin + suffix, authorization_servers: [origin] });
      for (const document of ['oauth-authorization-server', 'openid-configuration']) {
        const { json: server } = await at(`/.well-known/${document}${suffix}`);
        expect(server.issuer, `${document}${suffix}`).toBe(origin);
      }
    }
    const { headers, status } = await at('/mcp', { method: 'POST' });
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining(`resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`),
    ]);
    for (const typed of ['/mcp/', '/MCP', '/sse/']) expect((await at(typed)).status, typed).toBe(401);
    expect((await at('/')).text).toContain(`${origin}/mcp`);
  });

  it('MCP 2025-03-26 basic/authorization "Fallbacks": the default paths at the origin are the true ones', async () => {
    const { json } = await at('/.well-known/oauth-authorization-server');
    expect(json).toMatchObject({
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    });
    expect((await at('/authorize')).status).toBe(400);
    for (const path of ['/token', '/register']) expect((await at(path, { method: 'POST' })).status, path).toBe(400);
  });

  it('operator endpoints are hidden from the world, and each Redis from foreign networks', async () => {
    for (const path of ['/accepting', '/livez', '/readyz', '/metrics', '/readyz/', '//readyz', '/%72eadyz']) {
      expect((await at(path)).status, path).toBe(404);
    }
    for (const [redis, service, other] of [
      ['redis', 'mcp-server', 'auth-server'],
      ['redis-authorization', 'auth-server', 'mcp-server'],
    ] as const) {
      const host = await composed.addressOf(redis);
      const reach = `node -e "require('net').connect({host:'${host}',port:6379,timeout:1500}).on('connect',()=>process.exit(0)).on('timeout',()=>process.exit(3)).on('error',()=>process.exit(3))"`;
      const from = async (service: string) =>
        (await composed.attempt(`docker compose exec -T ${service} ${reach}`)).code;
      const codes = [await from('development-idp'), await from(other), await from(service)];
      expect(codes, redis).toEqual([3, 3, 0]);
    }
  });

  it('RFC 9110 §15.5.14 a body larger than any service accepts is refused', async () => {
    const large = Buffer.alloc(20_000_000);
    expect((await at('/token', { method: 'POST', body: large })).status).toBe(413);
    const endless = { method: 'POST', body: new Blob([large]).stream(), duplex: 'half' } as RequestInit;
    expect((await at('/token', endless)).status).toBe(400);
    // As numbers of 32 bits the first is negative, and the second is 1.
    for (const length of ['3000000000', '4294967297']) {
      const asked = request(`${origin}/token`, { method: 'POST', headers: { 'content-length': length }, agent: false });
      asked.flushHeaders();
      const [{ statusCode, headers }] = (await once(asked, 'response')) as [IncomingMessage];
      asked.destroy();
      expect([statusCode, headers['x-request-id']], 'no service was asked').toEqual([413, undefined]);
    }
  });

  it('no code, state or token appears in any log', async () => {
    await at('/authorize?code=canary&state=canary', { headers: { authorization: 'Bearer canary' } });
    const said = await composed.logs(10_000);
    expect(said).toContain('/authorize');
    expect(said).not.toMatch(/canary|[?&](code|state|token)=|eyJ[\w-]+\.[\w-]+\./);
  });

  it('the gateway logs requests that it could not forward, without secrets', async () => {
    const log = () => composed.sh('docker compose logs --no-log-prefix gateway');
    const idp = process.env.DEVELOPMENT_IDP_PORT ?? '9001';
    const told = async (change: string) =>
      (await log()).match(new RegExp(`development-idp/replica\\d+ is ${change}`, 'g'))?.length ?? 0;
    // A new process has no connection that was used before: if one of those ends, HAProxy closes that of the client without an answer
    // and without a log line, so that the client tries again (RFC 9112 §9.3.1).
    const ups = await told('UP, reason: Layer7');
    await composed.compose('restart', 'development-idp');
    await expect.poll(() => told('UP, reason: Layer7'), { timeout: 20_000 }).toBeGreaterThan(ups);
    const downs = await told('DOWN, reason: Layer7 timeout');
    await composed.compose('pause', 'development-idp');
    const options = { agent: false, headers: { cookie: 'canary' } };
    const answer = new Promise<unknown>((resolve) => {
      const url = `http://localhost:${idp}/authorize?code=canary`;
      get(url, options, ({ statusCode }) => resolve(statusCode)).on('error', resolve);
    });
    await expect.poll(() => told('DOWN, reason: Layer7 timeout'), { timeout: 10_000 }).toBe(downs + 1);
    await composed.compose('kill', 'development-idp');
    expect(await answer).toBe(502);
    await composed.compose('start', 'development-idp');
    expect((await fetch(`http://localhost:${idp}/`)).status).toBeLessThan(500);
    await expect.poll(log, { timeout: 10_000 }).toContain('"path": "/authorize", "status": 502');
    expect(await log()).not.toContain('canary');
  });

  it('each Redis has a memory limit, and never evicts a record', async () => {
    for (const redis of ['redis', 'redis-authorization']) {
      const info = await composed.compose(
        ...['exec', '-T', redis, 'redis-cli', '--user', 'health', '--pass', 'none', '--no-auth-warning'],
        ...['info', 'memory'],
      );
      expect(info, redis).toMatch(/maxmemory:402653184\s/);
      expect(info, redis).toMatch(/maxmemory_policy:noeviction/);
    }
  });

  it('each service has access to its own keys in Redis only', async () => {
    const as = async (user: string, words: string) =>
      (await composed.sh(`docker compose exec -T redis redis-cli ${user} ${words} 2>&1 || true`)).trim();
    const mcp = '--no-auth-warning --user mcp-server --pass development-only-mcp-server';
    expect(await as('', 'get mcp:x')).toMatch(/^NOAUTH/);
    expect(await as(mcp, 'ping')).toBe('PONG');
    const refused = ['get as:v1:x', 'keys "*"', 'config get requirepass', 'acl list', 'flushall'];
    const names = ['scan 0', 'randomkey', 'dbsize', 'pubsub channels "*"', 'client tracking on bcast'];
    const shared = ['script flush', 'script kill', 'function flush', 'function dump', 'select 1'];
    const scripts = ['eval "return redis.call(\'randomkey\')" 0', "eval \"return redis.call('get','as:v1:x')\" 0"];
    for (const words of scripts) expect(await as(mcp, words), words).toMatch(/ACL failure in script/);
    for (const words of [...refused, ...names, ...shared]) {
      expect(await as(mcp, words), words).toMatch(/^NOPERM/);
    }
  });

  it('one service keeps serving while the Redis of the other is paused', async () => {
    const [driver] = everyClient;
    const state = driver && states.get(driver.name);
    if (!driver || !state) throw new Error('nobody has signed in');
    await composed.compose('pause', 'redis');
    try {
      const body = JSON.stringify({ redirect_uris: [`${callback.url}/callback`], token_endpoint_auth_method: 'none' });
      const headers = { 'content-type': 'application/json' };
      expect((await at('/register', { method: 'POST', headers, body })).status).toBe(201);
    } finally {
      await composed.compose('unpause', 'redis');
    }
    await composed.compose('pause', 'redis-authorization');
    try {
      await calls(driver, state);
    } finally {
      await composed.compose('unpause', 'redis-authorization');
    }
    await expect.poll(unhealthy, { timeout: 60_000, interval: 500 }).toEqual([]);
  });

  it.each(others)("README's command does what it says: %s", async (command) => {
    await composed.sh(command);
    await expect.poll(unhealthy, { timeout: 60_000, interval: 500 }).toEqual([]);
    const wanted = [...command.matchAll(/--scale (\S+)=(\d+)/g)].map(([, service = '', to]) => [service, Number(to)]);
    expect(command).toMatch(/^docker compose up -d( --build)?( --scale \S+=\d+)+$/);
    expect(wanted.map(([service]) => [service, count(String(service))])).toEqual(wanted);
  });

  it('every client continues after down and up, and the sign-in page still knows Alice', async () => {
    const client = await OAuthClient.register({ authUrl: origin, mcpUrl: origin } as Stack);
    const greeting = async (person: BrowserContext) => {
      const page = await person.newPage();
      await open(page, client.authorizationUrl());
      const said = await page.locator('main').innerText();
      await page.close();
      return said;
    };
    // A replica that has not read the resource's metadata yet names its host, so the name is awaited on both sides of the restart.
    const named = async (person: BrowserContext) => {
      await expect.poll(() => greeting(person), { timeout: 30_000 }).toMatch(/^Allow .* to use MCP OAuth Server\?/);
      return greeting(person);
    };
    const known = await named(alice);
    expect(known).not.toBe(await greeting(await browser.newContext()));
    await composed.sh('docker compose down');
    await composed.sh(first);
    for (const driver of everyClient) {
      const state = states.get(driver.name);
      if (!state) throw new Error(`${driver.name} was never signed in`);
      state.spoilAccessToken();
      await calls(driver, state);
      expect(state.authorizationUrl, 'nobody is sent to the browser').toBeUndefined();
    }
    expect(await named(alice)).toBe(known);
  });
});
