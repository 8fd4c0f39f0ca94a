/**
 * Proves that an upstream may answer by form (OAuth 2.0 Form Post Response Mode), and that this admits no other party.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { SignIn } from '../../../src/federation/connector.ts';
import { Browser } from '../../support/browser.ts';
import { authorizePath, register, WEB } from '../../support/client.ts';
import { form, type RunningServer, startServer } from '../../support/running-server.ts';

/** A browser that is at an upstream. */
async function leave(server: RunningServer) {
  const browser = new Browser(server);
  const { page } = await browser.follow(authorizePath(await register(server)));
  const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
  return { browser, state: outside?.searchParams.get('state') ?? '' };
}

/** Posts as the page of an upstream does: without cookies that are SameSite=Lax (RFC 6265bis §5.5). */
const post = (server: RunningServer, members: Readonly<Record<string, string>>, headers = {}) =>
  server.fetch('/callback/acme', {
    ...form(members),
    headers: { accept: 'text/html', origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site', ...headers },
  });

describe('OAuth 2.0 Form Post Response Mode §2 an upstream answer by form', () => {
  it('an answer by form continues as a GET of the browser with the Lax cookie, and signs in once', async () => {
    await using server = await startServer();
    const { browser, state } = await leave(server);
    const posted = await post(server, { state, code: 'alice' });
    const location = posted.headers.get('location') ?? '';
    expect([posted.status, location]).toEqual([303, `${server.issuer}/callback/acme?state=${state}&code=alice`]);
    expect(posted.headers.get('referrer-policy')).toBe('no-referrer');
    expect(posted.headers.getSetCookie()).toEqual([]);
    const { outside } = await browser.follow(location);
    expect(`${outside?.origin}${outside?.pathname}`).toBe(WEB);
    expect(outside?.searchParams.get('code')).toBeTruthy();
    expect((await post(server, { state, code: 'alice' })).status, 'spent').toBe(400);
  });

  it('RFC 6749 §4.1.2.1 an error by form is returned to the client', async () => {
    await using server = await startServer({
      connectors: (acme) => [{ ...acme, connector: { ...acme.connector, finish: refused } }],
    });
    const { browser, state } = await leave(server);
    const posted = await post(server, { state, error: 'user_cancelled_authorize' });
    const { outside } = await browser.follow(posted.headers.get('location') ?? '');
    expect(outside?.searchParams.get('error')).toBe('server_error');
  });

  it('an answer by form keeps the expected parameters, and no token', async () => {
    await using server = await startServer();
    const { state } = await leave(server);
    const user = '{"name":{"firstName":"Ada"}}';
    const posted = await post(server, {
      state,
      code: 'c',
      iss: 'i',
      user,
      id_token: 'eyJ',
      access_token: 'x',
      scope: 's',
    });
    const { searchParams } = new URL(posted.headers.get('location') ?? '');
    expect(Object.fromEntries(searchParams)).toEqual({ state, code: 'c', iss: 'i', user });
  });
});

const refused = async (): Promise<SignIn> => {
  throw new Error('refused');
};

describe('RFC 9700 §4.7 validation of an answer by form', () => {
  it('an answer by form without the cookie of the browser that left is refused and uses up nothing', async () => {
    await using server = await startServer();
    const { browser, state } = await leave(server);
    const location = (await post(server, { state, code: 'mallory' })).headers.get('location') ?? '';
    expect((await server.fetch(location)).status).toBe(400);
    expect(
      (await browser.follow(`/callback/acme?state=${state}&code=alice`)).outside?.searchParams.get('code'),
    ).toBeTruthy();
  });

  it.each([
    ['no state', { code: 'x' }, 400],
    ['an empty state', { code: 'x', state: '' }, 400],
    ['a forged state', { code: 'x', state: 'forged' }, 400],
    ['more than 8 KiB', { code: 'x'.repeat(9_000), state: 'forged' }, 413],
    ['50 KiB', { code: 'x'.repeat(50_000), state: 'forged' }, 413],
  ])('an answer by form with %s is refused at once', async (_, members, status) => {
    await using server = await startServer();
    await leave(server);
    const response = await post(server, members as Record<string, string>);
    expect([response.status, response.headers.get('location')]).toEqual([status, null]);
  });

  it.each([
    ['two states', (state: string) => ({ body: new URLSearchParams(`state=${state}&state=${state}&code=x`) }), 400],
    ['JSON', (state: string) => ({ body: JSON.stringify({ state }), headers: { 'content-type': 'application/json' } }), 415],
    ['several parts', (state: string) => ({ body: state, headers: { 'content-type': 'multipart/form-data; boundary=x' } }), 415],
    ['RFC 9110 §15.5.16 a content coding', (state: string) => ({ body: new URLSearchParams({ state }), headers: { 'content-encoding': 'gzip' } }), 415],
  ])('an answer by form with %s is refused at once', async (_, request, status) => {
    await using server = await startServer();
    const { state } = await leave(server);
    expect((await server.fetch('/callback/acme', { method: 'POST', ...request(state) })).status).toBe(status);
  }); // biome-ignore format: one row each

  it('an answer by form without Content-Length has the same size limit', async () => {
    await using server = await startServer();
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(`state=forged&code=${'x'.repeat(20_000)}`));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await server.fetch('/callback/acme', {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
  });

  it('a connection that ends in the middle of a form is no server error', async () => {
    await using server = await startServer();
    const { port, hostname } = new URL(server.address);
    const socket = connect(Number(port), hostname);
    const head = ['POST /callback/acme HTTP/1.1', `Host: ${hostname}`, 'Content-Length: 100'];
    socket.write(`${[...head, 'Content-Type: application/x-www-form-urlencoded', '', ''].join('\r\n')}state=`);
    await once(socket, 'connect');
    socket.destroy();
    await expect
      .poll(() => server.log.find(({ msg }) => msg === 'request refused')?.reason)
      .toContain('connection ended');
    expect(server.log.some(({ level }) => level === 'error')).toBe(false);
  });

  it('RFC 9700 §4.4 an answer at the callback of another connector changes nothing', async () => {
    await using server = await startServer({ connectors: (acme) => [acme, { ...acme, id: 'other' }] });
    const { browser, state } = await leave(server);
    const response = await server.fetch('/callback/other', form({ state, code: 'x' }));
    expect(response.status).toBe(400);
    expect((await server.fetch('/callback/nobody', form({ state, code: 'x' }))).status).toBe(404);
    expect(
      (await browser.follow(`/callback/acme?state=${state}&code=alice`)).outside?.searchParams.get('code'),
    ).toBeTruthy();
  });
});
