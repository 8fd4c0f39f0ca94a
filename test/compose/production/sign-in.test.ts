/**
 * Proves on a real engine that the production setup works: a person signs in at the operator's identity provider, in a
 * real browser and over https on every connection, and clients call tools; and what is reported when a part of it
 * fails.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeJwt } from 'jose';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, signIn } from '../../support/browser.ts';
import { ClientState } from '../../support/client-state.ts';
import { type Driver, drivers } from '../../support/drivers.ts';
import { initialize, OAuthClient, postJson, send } from '../../support/oauth-client.ts';
import { openSse, type SseStream } from '../../support/sse-stream.ts';
import type { Stack } from '../../support/stack.ts';
import { print } from '../figures.ts';
import { acme, CLIENT_HOST, IdentityProvider, road, TRUST } from './identity-provider.ts';
import { commands, Operator, ORIGIN, PLAIN_ORIGIN } from './operator.ts';
import { serialOf, whileCalling } from './renewal.ts';
import { type CutOff, endlessHead, silentBody, silentHandshake, steadyBody } from './slow-sender.ts';

const STACK = { authUrl: ORIGIN, mcpUrl: ORIGIN } as Stack;
const [acmePort = 0] = await freePorts(1);
const AUTHORITY = '/data/caddy/pki/authorities/local';

describe('the production set-up', () => {
  const operator = new Operator({ acme: acme(acmePort) });
  const { composed } = operator;
  let provider: IdentityProvider;
  let browser: Browser;
  let alice: BrowserContext;
  let callback: TestServer;
  const states = new Map<string, ClientState>();
  let stream: SseStream;
  let slow: Promise<readonly CutOff[]>;

  beforeAll(async () => {
    operator.settings(TRUST);
    await composed.sh(`${commands.folders}; ${commands.secrets}`);
    provider = await IdentityProvider.prepare(operator);
    callback = await serve((_, res) => res.end('You can close this window.'));
  });
  afterAll(async () => {
    stream?.close();
    await browser?.close();
    await callback?.close();
    await operator[Symbol.asyncDispose]();
  }, 120_000);

  const newState = () => new ClientState(`${callback.url}/callback`);
  /** The newest line of auth-server's log with this message. */
  const logged = async (message: string): Promise<unknown> => {
    const [container = ''] = await composed.containers('auth-server');
    const lines = (await composed.docker('logs', container)).split('\n');
    return JSON.parse(lines.findLast((line) => line.includes(`"msg":"${message}"`)) ?? '{}');
  };

  it('the production set-up starts at an https origin, without the development IdP', async () => {
    expect(commands.up).toMatch(/^PUBLIC_URL=https:\/\/mcp\.example\.com docker compose .*production\.yml up /);
    expect(commands.others).toEqual([]);
    print('production, up at https', `${(await composed.timed(operator.up)).toFixed(1)} s`);
    const running = (await composed.running()).map(({ service }) => service).filter((service) => service !== 'acme');
    expect(running.sort()).toEqual([
      'auth-server',
      'certificates',
      'gateway',
      'mcp-server',
      'redis',
      'redis-authorization',
    ]);
    const [root = '', intermediate = ''] = await Promise.all(
      ['root', 'intermediate'].map((name) =>
        composed.sh(`docker compose exec -T certificates cat ${AUTHORITY}/${name}.crt`),
      ),
    );
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), root]);
    const trusted = [intermediate, await provider.certificate()].map(keyHash).join();
    browser = await launchBrowser(road(acmePort), `--ignore-certificate-errors-spki-list=${trusted}`);
    alice = await browser.newContext();
  });

  it('the production set-up uses its public origin everywhere, and tells browsers to use https', async () => {
    expect((await send(ORIGIN)).text).toContain(`${ORIGIN}/mcp`);
    for (const path of ['/', '/jwks', '/livez', '/nothing']) {
      const { headers } = await send(ORIGIN + path);
      expect(headers.get('strict-transport-security'), `RFC 6797 §7.1 ${path}`).toBe('max-age=31536000');
      expect(headers.get('server'), path).toBeNull();
    }
    const { json: resource } = await send(`${ORIGIN}/.well-known/oauth-protected-resource/mcp`);
    expect(resource).toMatchObject({ resource: `${ORIGIN}/mcp`, authorization_servers: [ORIGIN] });
    const { json: server } = await send(`${ORIGIN}/.well-known/oauth-authorization-server`);
    expect(server).toMatchObject({ issuer: ORIGIN, token_endpoint: `${ORIGIN}/token` });
    for (const path of ['/accepting', '/livez', '/readyz', '/metrics'])
      expect((await send(ORIGIN + path)).status, path).toBe(404);
  });

  it('RFC 9110 §7.4 a request for another host is refused, and plain http is redirected to https', async () => {
    const { status, headers } = await send(`${PLAIN_ORIGIN}/mcp?a=1`);
    expect([status, headers.get('location')]).toEqual([308, `${ORIGIN}/mcp?a=1`]);
    expect(await asked({ servername: 'localhost', host: 'mcp.attacker.example' })).toBe(421);
    // Newer versions of HAProxy refuse the comma itself.
    expect([400, 421]).toContain(await asked({ servername: 'localhost', host: 'mcp.attacker.example,localhost' }));
    await expect(asked({ servername: 'mcp.attacker.example', host: 'mcp.attacker.example' })).rejects.toThrow(/alert/);
  });

  it('RFC 6749 §4.1.2.1 an outage of the identity provider is returned to the client, and logged with its reason', async () => {
    provider.away();
    const answer = await answered();
    provider.back();
    expect(answer).toMatchObject({ error: 'temporarily_unavailable', iss: ORIGIN });
    const reason = expect.stringMatching(/^https:\/\/login\.acme\.example\/\S+ could not be reached \(ECONNRESET\)$/);
    expect(await logged('upstream sign-in failed')).toMatchObject({ connector: 'acme', reason });
  });

  /** What a client is told when a person signs in who was never here before. */
  async function answered(): Promise<Record<string, string>> {
    const stranger = await browser.newContext();
    const client = await OAuthClient.register(STACK);
    const { searchParams } = await signIn(stranger, client.authorizationUrl());
    await stranger.close();
    return Object.fromEntries(searchParams);
  }

  it.each(drivers)(
    '$name: 401, discovery, registration, sign-in at Acme in Chromium, a tool, refresh',
    async (driver) => {
      const state = newState();
      states.set(driver.name, state);
      const url = new URL(ORIGIN + driver.path);
      await expect(driver.connect(url, state)).rejects.toSatisfy(driver.isUnauthorized);
      const answer = await signIn(alice, state.takeAuthorizationUrl());
      expect(answer.searchParams.get('iss'), 'RFC 9207 §2 iss').toBe(ORIGIN);
      await driver.finish(url, state, answer);
      const { iss, aud } = decodeJwt(state.stored.tokens?.access_token ?? '');
      expect({ iss, aud }, 'RFC 9068 §2.2').toEqual({ iss: ORIGIN, aud: `${ORIGIN}/mcp` });
      await calls(driver, state);
      state.spoilAccessToken();
      await calls(driver, state);
    },
  );

  async function calls(driver: Driver, state: ClientState): Promise<void> {
    const client = await driver.connect(new URL(ORIGIN + driver.path), state);
    expect((await client.call('sum', { a: 1, b: 2 })).text).toContain('3');
    await client.close();
  }

  it('a long stream and slow senders are started', async () => {
    const [state] = states.values();
    stream = await openSse(STACK, state?.stored.tokens?.access_token ?? '');
    const url = new URL(`${ORIGIN}/token`);
    slow = Promise.all([steadyBody(url), silentBody(url)]);
    await Promise.all([endlessHead(url), silentHandshake(url)]);
  });

  it('a renewed certificate is taken over while clients call: no call fails', async () => {
    const [state] = states.values();
    const headers = {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      authorization: `Bearer ${state?.stored.tokens?.access_token}`,
    };
    const url = new URL(`${ORIGIN}/mcp`);
    const opened = await postJson(url.href, initialize('2025-11-25'), headers);
    const session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    };
    const params = { name: 'sum', arguments: { a: 1, b: 2 } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const before = await serialOf(url);
    const { answered, failed } = await whileCalling({ url, headers: { ...headers, ...session }, body }, async () => {
      // Caddy obtains a new one at its start, as it does when the old one expires.
      await composed.sh('docker compose exec -T certificates rm -r /data/caddy/certificates');
      await composed.sh('docker compose restart certificates');
      await expect.poll(() => serialOf(url), { timeout: 30_000, interval: 250 }).not.toBe(before);
    });
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    const key = await composed.sh('docker compose exec -T certificates stat -c "%a %u:%g" /certificate/site.pem');
    expect(key.trim(), 'the group of the gateway').toBe('640 0:99');
    print('certificate renewed under load', `${answered} calls, ${failed.length} failed`);
    expect(await composed.compose('logs', '--no-log-prefix', 'gateway')).toMatch(/gateway: new certificate, valid/);
  });

  it('RFC 6265bis §4.1.3 each cookie is Secure, and the session cookie has the prefix __Host-', async () => {
    const cookies = await alice.cookies(ORIGIN);
    const names = cookies.map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith('as_interaction'))).toEqual([
      '__Host-as_session',
      '__Host-as_session.sig',
    ]);
    for (const { name, secure, httpOnly, sameSite } of await alice.cookies()) {
      expect({ name, secure, httpOnly, sameSite }).toEqual({ name, secure: true, httpOnly: true, sameSite: 'Lax' });
    }
  });

  it('RFC 6749 §5.2 a client secret that the identity provider refuses is returned as an outage, and logged', async () => {
    provider.forgetsSecret();
    const answer = await answered();
    provider.back();
    expect(answer).toMatchObject({ error: 'temporarily_unavailable', iss: ORIGIN });
    const reason = "the upstream refused this server's credentials";
    expect(await logged('upstream sign-in failed')).toMatchObject({ connector: 'acme', reason });
    expect(await answered()).toHaveProperty('code');
  });

  it('CWE-918 a client document inside the network is never fetched, even from a trusted host', async () => {
    const client = await OAuthClient.register(STACK);
    const url = client.authorizationUrl({ client_id: `https://${CLIENT_HOST}/client.json` });
    expect((await send(url)).status).toBe(400);
    const document = { host: CLIENT_HOST, reason: 'private_address' };
    expect(await logged('authorization refused')).toMatchObject({ document });
    expect(await provider.requests()).toMatch(/GET \/keys/);
    expect(await provider.requests()).not.toContain('client.json');
  });

  it('no code, secret or token appears in any log', async () => {
    expect(await composed.logs(10_000)).not.toMatch(/[?&](code|state|token)=|eyJ[\w-]+\.[\w-]+\.|what Acme/);
  });

  it('RFC 9110 §15.5.9 slow senders are cut off, and streams are not', async () => {
    const late = { status: 408, body: 'The request took too long to arrive.\n' };
    expect(await slow).toEqual([late, late]);
    const [state] = states.values();
    const authorization = `Bearer ${state?.stored.tokens?.access_token}`;
    expect((await postJson(stream.endpoint, initialize('2024-11-05'), { authorization })).status).toBe(202);
    expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: 0, result: {} });
  });

  it('every client continues after down and up, with the same certificate', async () => {
    await composed.sh('docker compose down');
    await composed.sh('docker compose up -d --wait');
    for (const driver of drivers) {
      const state = states.get(driver.name) ?? newState();
      state.spoilAccessToken();
      await calls(driver, state);
      expect(state.authorizationUrl, 'nobody is sent to the browser').toBeUndefined();
    }
  });
});

/** The status for a request whose TLS server name and Host field differ. */
const asked = ({ servername, host }: { readonly servername: string; readonly host: string }): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { servername, headers: { host }, agent: false, checkServerIdentity: () => undefined };
    request(`${ORIGIN}/mcp`, options, (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject);
    })
      .on('error', reject)
      .end();
  });

/** How Chromium is told which certificate to trust. */
const keyHash = (certificate: string): string =>
  createHash('sha256')
    .update(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
