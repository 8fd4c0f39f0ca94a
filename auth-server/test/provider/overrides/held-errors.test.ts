/**
 * Proves that no request of a client without an approval redirects a browser (RFC 9700 §4.11.2 open redirector): an
 * error is shown on a page with a link that names its target, until a person has been asked.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, NATIVE, register, type TestClient, WEB } from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import { form, ISSUER, type RunningServer, startServer } from '../../support/running-server.ts';

trustTestCertificate();
const APP = 'com.example.app:/callback';
const CLIENTS = JSON.stringify([{ client_id: 'portal', redirect_uris: [WEB] }]);

let host: ClientHost;
let server: RunningServer;
beforeAll(async () => {
  host = await ClientHost.start();
  server = await startServer({
    env: { CLIENTS, CLIENT_METADATA_PRIVATE_HOSTS: host.name, REGISTRATION_LIMIT: '1000', AUTHORIZATION_LIMIT: '1000' },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

type Parameters = Readonly<Record<string, string | undefined>>;

/** Errors in a request whose client and redirect URI are valid. */
const WRONG: readonly (readonly [string, Parameters, string])[] = [
  ['no code_challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['an invalid challenge', { code_challenge: 'short' }, 'invalid_request'],
  ['no response_type', { response_type: undefined }, 'invalid_request'],
  ['a token as response_type', { response_type: 'token' }, 'unsupported_response_type'],
  ['an unknown response_mode', { response_mode: 'pigeon' }, 'unsupported_response_mode'],
  ['an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
  ['prompt=none beside another', { prompt: 'none login' }, 'invalid_request'],
  ['an unknown resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
  ['only unknown scopes', { scope: 'unknown' }, 'invalid_scope'],
  ['an invalid max_age', { max_age: '-1' }, 'invalid_request'],
  ['a request object', { request: 'x' }, 'request_not_supported'],
  ['a foreign request_uri', { request_uri: 'https://other.example/' }, 'request_uri_not_supported'],
  [
    'an expired or unknown request_uri',
    { request_uri: 'urn:ietf:params:oauth:request_uri:gone' },
    'invalid_request_uri',
  ],
  ['an invalid id_token_hint', { id_token_hint: 'x' }, 'invalid_request'],
  ['a registration parameter', { registration: '{}' }, 'registration_not_supported'],
];

/**
 * A first visit, without cookies.
 * @returns the target of the redirect, or the page
 */
async function visit(target: string, init?: RequestInit) {
  const { page, outside } = await new Browser(server).follow(target, init);
  return { outside, status: page?.status, text: (await page?.text()) ?? '', headers: page?.headers };
}

const unescaped = (markup: string | undefined) => (markup ?? '').replaceAll('&amp;', '&');
const linkIn = (text: string) => URL.parse(unescaped(/<a class="button[^>]* href="([^"]+)"/.exec(text)?.[1]));

describe.each([
  ['a registered website', () => register(server), 'app.example'],
  ['a registered app with a scheme of its own', () => register(server, APP), 'com.example.app:'],
  [
    'an app with a metadata document',
    async (): Promise<TestClient> => ({ id: host.publish(), redirectUri: WEB }),
    'app.example',
  ],
])('RFC 9700 §4.11.2 %s that nobody approved', (_, make, place) => {
  it.each(WRONG)(
    'an error of %s shows a page with a link to the client, and the browser stays',
    async (_, wrong, error) => {
      const client = await make();
      const { outside, status, text, headers } = await visit(authorizePath(client, wrong));
      expect([outside, status]).toEqual([undefined, 400]);
      expect(headers?.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers?.get('location')).toBeNull();
      expect(headers?.get('refresh')).toBeNull();
      expect(text).toContain(place);
      const link = linkIn(text);
      expect(link?.href.startsWith(client.redirectUri)).toBe(true);
      const answer = new URLSearchParams(link?.hash.slice(1) || link?.search);
      expect(Object.fromEntries(answer)).toMatchObject({ error, state: 'the-state', iss: ISSUER });
    },
  );

  it('OAuth 2.0 Form Post Response Mode §2 the page for response_mode=form_post has a form with a button and no script', async () => {
    const client = await make();
    const wrong = { response_mode: 'form_post', resource: 'https://other.example/mcp', state: '"><script>' };
    const { status, text } = await visit(authorizePath(client, wrong));
    expect(status).toBe(400);
    expect(text).toContain(`action="${client.redirectUri}"`);
    expect(text).toContain('name="error" value="invalid_target"');
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
    expect(text).not.toContain('<script');
  });

  it('RFC 9126 §2.3 a wrong pushed request is refused at /par and never redirects', async () => {
    const client = await make();
    const { searchParams } = server.url(authorizePath(client, { resource: 'https://other.example/mcp' }));
    const pushed = await server.fetch('/par', form(Object.fromEntries(searchParams)));
    expect([pushed.status, pushed.headers.get('location')]).toEqual([400, null]);
  });

  it('a made-up resume URL that names the client gets a page without a link', async () => {
    const client = await make();
    for (const more of [{}, { prompt: 'none' }]) {
      const { search } = server.url(authorizePath(client, more));
      const { outside, status, text } = await visit(`/authorize/made-up${search}`);
      expect([outside, status, linkIn(text)]).toEqual([undefined, 400, null]);
    }
  });

  it('OpenID Connect Core §3.1.2.6 an error with prompt=none is returned at once, as nobody sees a page', async () => {
    const client = await make();
    const { outside } = await visit(authorizePath(client, { prompt: 'none' }));
    expect(outside?.href.startsWith(client.redirectUri)).toBe(true);
    expect(outside?.searchParams.get('error')).toBe('login_required');
  });

  it('RFC 6749 §4.1.2.1 a client is told access_denied when the person denied', async () => {
    const client = await make();
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client));
    const { outside } = await browser.submit(page, 'deny');
    expect(outside?.href.startsWith(client.redirectUri)).toBe(true);
    expect(outside?.searchParams.get('error')).toBe('access_denied');
  });
});

describe('errors that go to the client at once', () => {
  it.each(WRONG)(
    'RFC 8252 §7.3 an error of a client on this machine is returned at once: %s',
    async (_, wrong, error) => {
      const client = await register(server, NATIVE);
      const { outside } = await visit(authorizePath(client, wrong));
      expect(outside && outside.origin + outside.pathname).toBe(NATIVE);
      expect(new URLSearchParams(outside?.hash.slice(1) || outside?.search).get('error')).toBe(error);
    },
  );

  it.each(WRONG)('an error of a client of CLIENTS is returned at once: %s', async (_, wrong, error) => {
    const { outside } = await visit(authorizePath({ id: 'portal', redirectUri: WEB }, wrong));
    expect(outside && outside.origin + outside.pathname).toBe(WEB);
    expect(new URLSearchParams(outside?.hash.slice(1) || outside?.search).get('error')).toBe(error);
  });
});

describe('an error of a client that the person approved before', () => {
  it('an error is shown although the person approved the client before, as nobody approved this request', async () => {
    const client = await register(server);
    const browser = new Browser(server);
    await authorize(server, client, {}, { browser });
    const { page, outside } = await browser.follow(authorizePath(client, { resource: 'https://other.example/mcp' }));
    expect([outside, page?.status]).toEqual([undefined, 400]);
  });
});

describe('the log', () => {
  it('the log says that the client was not told, with the reason and the client', async () => {
    const client = await register(server);
    await visit(authorizePath(client, { resource: 'https://other.example/mcp' }));
    expect(server.log.filter(({ client: id }) => id === client.id)).toContainEqual(
      expect.objectContaining({
        msg: 'authorization refused',
        error: 'invalid_target',
        told: 'the person, not the client',
      }),
    );
  });
});

describe('a program', () => {
  it('RFC 6749 §5.2 a program that asks for JSON gets the error as JSON', async () => {
    const client = await register(server);
    const target = authorizePath(client, { resource: 'https://other.example/mcp' });
    const answer = await server.fetch(target, { headers: { accept: 'application/json' } });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_target', iss: ISSUER }]);
  });
});
