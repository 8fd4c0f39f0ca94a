/**
 * Proves which registrations of real clients are accepted at /register, and which are refused (RFC 7591 §2, RFC 8252).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, type RunningServer, read, startServer } from '../../support/running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION_LIMIT: '1000' } });
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (metadata: unknown, headers = {}) => server.fetch('/register', json(metadata, headers));
const WEB = 'https://app.example/callback';

describe('RFC 7591 §3 accepted registrations', () => {
  it.each([
    ['a custom scheme without a type', { redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/cb'] }, 'native'],
    [
      'several redirect URIs and an empty client_uri',
      { redirect_uris: ['cursor://x/cb', WEB], client_uri: '' },
      'native',
    ],
    [
      'device_code among the grants',
      {
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'],
      },
      'native',
    ],
    ['https and a scope', { redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], scope: 'claudeai' }, 'web'],
    ['a loopback port', { redirect_uris: ['http://localhost:3334/oauth/callback'] }, 'native'],
    [
      'a loopback port as web',
      { redirect_uris: ['http://localhost:6274/oauth/callback'], application_type: 'web' },
      'native',
    ],
    ['an empty scope', { redirect_uris: [WEB], scope: '' }, 'web'],
    ['null members', { redirect_uris: [WEB], logo_uri: null, contacts: null, token_endpoint_auth_method: null }, 'web'],
    ['unknown members', { redirect_uris: [WEB], hello: 'world', jwt_bearer: { a: 1 } }, 'web'],
    [
      'implicit beside code',
      { redirect_uris: [WEB], grant_types: ['authorization_code', 'implicit'], response_types: ['code', 'token'] },
      'web',
    ],
    [
      'an RS256 ID token and pairwise subjects',
      { redirect_uris: [WEB], id_token_signed_response_alg: 'RS256', subject_type: 'pairwise' },
      'web',
    ],
    ['nothing but a redirect URI', { redirect_uris: [WEB] }, 'web'],
  ])('registration accepts %s', async (_, metadata, type) => {
    const response = await post(metadata);
    const client = await read(response);
    expect([response.status, client.error_description]).toEqual([201, undefined]);
    expect(client).toMatchObject({
      // No hyphen first: commands take the id as an argument.
      client_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      application_type: type,
      token_endpoint_auth_method: type === 'web' ? 'client_secret_basic' : 'none',
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    });
    expect([client.grant_types].flat()[0]).toBe('authorization_code');
    expect(client.grant_types).not.toContain('implicit');
    expect('client_secret' in client).toBe(type === 'web');
    expect(client).not.toHaveProperty('scope');
    expect(client).not.toHaveProperty('registration_access_token');
    expect(client).not.toHaveProperty('hello');
  });

  it('registration accepts a client with a secret, and issues one', async () => {
    const client = await read(await post({ redirect_uris: [WEB], token_endpoint_auth_method: 'client_secret_basic' }));
    expect(client).toMatchObject({ client_secret: expect.stringMatching(/.{43,}/), client_secret_expires_at: 0 });
  });

  it('registration keeps a name as text, without bidirectional controls', async () => {
    const client = await read(await post({ redirect_uris: [WEB], client_name: '<b>A\u202e\u0000pp</b>\n' }));
    expect(client.client_name).toBe('<b>A pp</b>');
  });

  it.each([
    ['twenty accents on a letter', `Z${'\u0300\u0301'.repeat(10)}app`, 'Z\u0300\u0301app'],
    [
      'accents on accents that a joiner parts',
      'Z\u0316\u0317\u0318\u200d\u0316\u0317\u0318',
      'Z\u0316\u0317 \u0316\u0317',
    ],
    ['accents that would lie on a letter of ours', '\u0336\u0336\u0336App', 'App'],
    ['an accent and a letter that are one', 'Cafe\u0301', 'Café'],
    ['Hindi with a dot, a vowel and a nasal', 'ज़िंदगी', 'ज़िंदगी'],
    ['Vietnamese', 'Tiếng Việt', 'Tiếng Việt'],
    ['Hebrew with points', 'שָׁלוֹם', 'שָׁלוֹם'],
    ['half an emoji', 'App \ud83d', 'App \ufffd'],
  ])('UTS #39 §5.4 a name has at most two combining marks in a row: %s', async (_, client_name, kept) => {
    const answer = await read(await post({ redirect_uris: [WEB], client_name }));
    expect(answer.client_name).toBe(kept.normalize('NFC'));
  });

  it.each(['\u3164', '\u115f\u1160', '\u200b\ufe0f', '\u2800', '\u0301\u0301'])(
    'registration treats an invisible name (%j) as none',
    async (client_name) => {
      expect(await read(await post({ redirect_uris: [WEB], client_name }))).not.toHaveProperty('client_name');
    },
  );
});

describe('RFC 7591 §3.2.2 refused registrations', () => {
  const uris = Array.from({ length: 21 }, (_, index) => `${WEB}/${index}`);
  it.each([
    ['http elsewhere than on loopback', { redirect_uris: ['http://app.example/cb'] }, 'invalid_redirect_uri'],
    ['a loopback look-alike', { redirect_uris: ['http://127.0.0.1.evil.example/cb'] }, 'invalid_redirect_uri'],
    ['javascript:', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['data:', { redirect_uris: ['data:text/html,x'] }, 'invalid_redirect_uri'],
    ['file:', { redirect_uris: ['file:///etc/passwd'] }, 'invalid_redirect_uri'],
    [
      'https on loopback for an app',
      { redirect_uris: ['https://localhost/cb'], application_type: 'native' },
      'invalid_redirect_uri',
    ],
    ['a fragment', { redirect_uris: [`${WEB}#x`] }, 'invalid_redirect_uri'],
    ['user information', { redirect_uris: ['https://good.example@evil.example/cb'] }, 'invalid_redirect_uri'],
    ['empty user information', { redirect_uris: ['https://@evil.example/cb'] }, 'invalid_redirect_uri'],
    ['a value that is no URI', { redirect_uris: ['nonsense'] }, 'invalid_redirect_uri'],
    ['a URI with a line break', { redirect_uris: [`${WEB}\r\nSet-Cookie: a=b`] }, 'invalid_redirect_uri'],
    ['a URI between blanks', { redirect_uris: [` ${WEB} `] }, 'invalid_redirect_uri'],
    ['a URI that turns around', { redirect_uris: ['cursor://app/\u202e'] }, 'invalid_redirect_uri'],
    ['backslashes for slashes', { redirect_uris: ['https:\\\\app.example\\cb'] }, 'invalid_redirect_uri'],
    ['a URI relative to our own page', { redirect_uris: ['https:app.example/cb'] }, 'invalid_redirect_uri'],
    ['a value that is no string', { redirect_uris: [1, {}] }, 'invalid_redirect_uri'],
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['too many', { redirect_uris: uris }, 'invalid_redirect_uri'],
    ['one that is too long', { redirect_uris: [`${WEB}/${'x'.repeat(2_048)}`] }, 'invalid_redirect_uri'],
    ['a name like a book', { redirect_uris: [WEB], client_name: 'x'.repeat(121) }, 'invalid_client_metadata'],
    ['a name that is no text', { redirect_uris: [WEB], client_name: { toString: 1 } }, 'invalid_client_metadata'],
    [
      'a member like a book',
      { redirect_uris: [WEB], client_uri: `https://a.example/${'x'.repeat(2_048)}` },
      'invalid_client_metadata',
    ],
    ...[
      'https://169.254.169.254/',
      'https://[::1]/',
      'https://localhost/',
      'https://redis:6379/',
      'https://a.internal/',
      'https://2130706433/',
    ].map((jwks_uri): [string, object, string] => [
      `keys inside a network: ${jwks_uri}`,
      { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
      'invalid_client_metadata',
    ]),
    [
      'keys over http',
      { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://169.254.169.254/' },
      'invalid_client_metadata',
    ],
    [
      'private_key_jwt without keys',
      { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
    ],
    [
      'a method that is not offered',
      { redirect_uris: [WEB], token_endpoint_auth_method: 'tls_client_auth' },
      'invalid_client_metadata',
    ],
    ['grants that are all unknown', { redirect_uris: [WEB], grant_types: ['password'] }, 'invalid_client_metadata'],
    [
      'response types that are all unknown',
      { redirect_uris: [WEB], response_types: ['token'] },
      'invalid_client_metadata',
    ],
    ['a software_id that is no text', { redirect_uris: [WEB], software_id: { a: 1 } }, 'invalid_client_metadata'],
    ['a number as software_id', { redirect_uris: [WEB], software_id: 7 }, 'invalid_client_metadata'],
    ['an object that is no text', { redirect_uris: [WEB], jwks_uri: { toString: 1 } }, 'invalid_client_metadata'],
    [
      'an algorithm that is no text',
      { redirect_uris: [WEB], token_endpoint_auth_signing_alg: { toString: 1 } },
      'invalid_client_metadata',
    ],
    ['a list of such', { redirect_uris: [WEB], contacts: [{ toString: 1 }] }, 'invalid_client_metadata'],
    [
      'keys without a bottom',
      `{"redirect_uris":["${WEB}"],"jwks":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
      'invalid_client_metadata',
    ],
    ['malformed JSON', '{"redirect_uris":', 'invalid_request'],
    ['an array', [], 'invalid_request'],
    ['null', 'null', 'invalid_request'],
  ])('registration refuses %s', async (_, metadata, error) => {
    const response = await post(metadata);
    const body = await read(response);
    expect([response.status, body.error]).toEqual([400, error]);
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(JSON.stringify(body)).not.toMatch(/node_modules|\.js:/);
  });

  const members = [
    ...['redirect_uris', 'token_endpoint_auth_method', 'grant_types', 'response_types', 'client_name', 'client_uri'],
    ...['logo_uri', 'contacts', 'tos_uri', 'policy_uri', 'jwks_uri', 'jwks', 'software_id', 'application_type'],
    ...['initiate_login_uri', 'default_max_age', 'require_auth_time', 'default_acr_values', 'response_modes'],
    ...['token_endpoint_auth_signing_alg', 'client_id', 'client_secret', 'client_id_issued_at'],
  ];
  it.each(members)('registration refuses or ignores an unreadable %s, without a server error', async (name) => {
    const odd: readonly unknown[] = [
      { toString: 1 },
      [{ toString: 1 }],
      { keys: [null] },
      { length: 1e9 },
      [[]],
      [null],
      -1,
      true,
      '\ud800',
    ];
    for (const value of odd) {
      const response = await post({ redirect_uris: [WEB], [name]: value });
      expect([value, [201, 400].includes(response.status)]).toEqual([value, true]);
    }
  });

  it('registration refuses another content type, and a body that is too large', async () => {
    const text = await server.fetch('/register', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    });
    expect([text.status, (await read(text)).error]).toEqual([400, 'invalid_request']);
    const large = await post({ redirect_uris: [WEB], client_name: 'x'.repeat(60_000) });
    expect([large.status, (await read(large)).error]).toEqual([413, 'invalid_request']);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(8_192))),
    });
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit;
    const endless = await server.fetch('/register', init).then(
      (response) => response.status,
      () => 'cut off',
    );
    expect([400, 413, 'cut off']).toContain(endless);
    expect((await post({ redirect_uris: [WEB] })).status).toBe(201);
  });
});

describe('RFC 7591 §5 open registration', () => {
  it('open registration allows web pages: CORS, preflight included', async () => {
    const preflight = await server.fetch('/register', {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type');
    for (const metadata of [{ redirect_uris: [WEB] }, {}]) {
      const response = await post(metadata, { origin: 'http://localhost:6274' });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
  });

  it('RFC 6585 §4 open registration is limited by address, and X-Forwarded-For is not trusted', async () => {
    await using limited = await startServer({ env: { REGISTRATION_LIMIT: '3' } });
    const attempt = (address: string) =>
      limited.fetch('/register', json({ redirect_uris: [WEB] }, { 'x-forwarded-for': address }));
    for (const address of ['1.1.1.1', '2.2.2.2', '3.3.3.3']) expect((await attempt(address)).status).toBe(201);
    const refused = await attempt('4.4.4.4');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(await read(refused)).toMatchObject({ error: 'too_many_requests' });
  });

  it.each(['/register/', '/REGISTER', '/Register/'])(
    'the path %s has the same CORS headers and limit',
    async (path) => {
      await using limited = await startServer({ env: { REGISTRATION_LIMIT: '1' } });
      const attempt = () => limited.fetch(path, json({ redirect_uris: [WEB] }));
      const first = await attempt();
      expect([first.status, first.headers.get('access-control-allow-origin')]).toEqual([201, '*']);
      expect((await attempt()).status).toBe(429);
      expect((await limited.fetch(path, { method: 'OPTIONS' })).status).toBe(204);
    },
  );
});
