/** Proves what clients find where the metadata of the issuer comes from here (ISSUER_METADATA=here), and what strangers cannot do with it. */
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusedIn, tell } from '../../support/explained-token.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../../support/foreign.ts';
import { signToken } from '../../support/issuer.ts';

const CALLBACK = 'http://localhost/callback';
const HOSTED = 'https://claude.ai/api/mcp/auth_callback';

let foreign: Foreign;
let server: ForeignServer;
const settings = (more: Readonly<Record<string, string>> = {}) => ({
  ISSUER: foreign.issuer.url,
  ISSUER_METADATA: 'here',
  ISSUER_CLIENT_ID: 'mcp-client',
  ISSUER_CLIENT_REDIRECT_URIS: `${CALLBACK},${HOSTED}`,
  ISSUER_RESOURCE_PARAMETER: 'drop',
  ISSUER_PKCE_METHOD: 'S256',
  ...more,
});

/** The metadata of an issuer that has no registration. */
const plain: Record<string, unknown> = {};
beforeAll(async () => {
  foreign = await startForeign();
  const { registration_endpoint: _, ...rest } = foreign.issuer.metadata;
  Object.assign(plain, rest);
  foreign.issuer.metadata = plain;
  server = await startServer(settings());
});
beforeEach(() => {
  foreign.issuer.metadata = plain;
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await foreign?.issuer.close();
});

const json = async (path: string, at = server) => (await at.fetch(path)).json() as Promise<Record<string, unknown>>;
const PLACE = '/.well-known/oauth-authorization-server';

/** A server of its own, for an issuer with more in its metadata. */
async function documentOf(metadata: object, more: Readonly<Record<string, string>> = {}) {
  foreign.issuer.metadata = { ...plain, ...metadata };
  const own = await startServer(settings(more));
  const document = await json(PLACE, own);
  return { own, document, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}

describe('RFC 8414 §3.3 metadata of the issuer under the identifier of this server', () => {
  it('RFC 9728 §2 the protected-resource metadata names this server as the authorization server', async () => {
    const { authorization_servers: named } = await json('/.well-known/oauth-protected-resource/mcp');
    expect(named).toEqual([server.url]);
  });

  it.each([
    PLACE,
    '/.well-known/openid-configuration',
    `${PLACE}/mcp`,
    '/.well-known/openid-configuration/sse',
    '/mcp/.well-known/openid-configuration',
  ])(
    'the document at %s has this issuer, endpoints here for what differs, and everything else of the issuer',
    async (path) => {
      const { issuer } = foreign;
      expect(await json(path)).toEqual({
        issuer: server.url,
        authorization_endpoint: `${server.url}/authorize`,
        registration_endpoint: `${server.url}/register`,
        token_endpoint: `${issuer.url}/token`,
        jwks_uri: `${issuer.url}/jwks`,
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
        code_challenge_methods_supported: ['S256'],
        unknown_to_us: 'kept',
      });
    },
  );

  it('without a client id and with resource kept, the endpoints are those of the issuer, and nothing is announced that it did not', async () => {
    const registration = { registration_endpoint: `${foreign.issuer.url}/clients` };
    const alone = {
      ISSUER_CLIENT_ID: '',
      ISSUER_CLIENT_REDIRECT_URIS: '',
      ISSUER_RESOURCE_PARAMETER: '',
      ISSUER_PKCE_METHOD: '',
    };
    await using made = await documentOf(registration, alone);
    expect(made.document).toEqual({ ...plain, ...registration, issuer: made.own.url });
    for (const path of ['/authorize', '/register', '/token'])
      expect((await made.own.fetch(path, { method: path === '/authorize' ? 'GET' : 'POST' })).status).toBe(404);
  });

  it('RFC 9207 §3 and RFC 8414 §2.1 what names the issuer itself is left out, and the log says which clients will refuse', async () => {
    await using made = await documentOf({
      authorization_response_iss_parameter_supported: true,
      signed_metadata: 'a.signed.document',
      client_id_metadata_document_supported: true,
    });
    expect(made.document).not.toHaveProperty('authorization_response_iss_parameter_supported');
    expect(made.document).not.toHaveProperty('signed_metadata');
    expect(made.document).toMatchObject({ client_id_metadata_document_supported: true });
    await json(PLACE, made.own);
    const told = made.own.log.filter((line) => line.includes('RFC 9207')).map((line) => JSON.parse(line));
    expect(told).toMatchObject([{ issuer: foreign.issuer.url, setting: 'ISSUER_METADATA' }]);
  });

  it('RFC 9126 §2 the endpoint for pushed requests, which would take resource to the issuer, is named only if the issuer demands it', async () => {
    const pushed = { pushed_authorization_request_endpoint: `${foreign.issuer.url}/par` };
    await using made = await documentOf(pushed);
    expect(made.document).not.toHaveProperty('pushed_authorization_request_endpoint');
    await using demanded = await documentOf({ ...pushed, require_pushed_authorization_requests: true });
    expect(demanded.document).toMatchObject(pushed);
    await using kept = await documentOf(pushed, { ISSUER_RESOURCE_PARAMETER: 'keep' });
    expect(kept.document).toMatchObject(pushed);
  });

  it('RFC 8414 §3.1 below a path, documents and endpoints are those of the identifier with the path', async () => {
    const publicUrl = 'https://example.com/tools';
    await using below = await startServer(settings({ PUBLIC_URL: publicUrl, ALLOWED_HOSTS: 'localhost,127.0.0.1' }));
    for (const path of [
      `${PLACE}/tools`,
      '/.well-known/openid-configuration/tools',
      '/tools/.well-known/openid-configuration',
    ]) {
      expect(await json(path, below)).toMatchObject({
        issuer: publicUrl,
        authorization_endpoint: `${publicUrl}/authorize`,
        registration_endpoint: `${publicUrl}/register`,
      });
    }
    const { authorization_servers: named } = await json('/.well-known/oauth-protected-resource/tools/mcp', below);
    expect(named).toEqual([publicUrl]);
    const { headers } = await below.fetch('/tools/authorize?state=a&resource=b');
    expect(headers.get('location')).toBe(`${foreign.issuer.url}/authorize?state=a`);
    expect((await registration({ redirect_uris: [HOSTED] }, below, '/tools/register')).status).toBe(201);
  });

  it('while the issuer is down and there is no copy, document and redirect are 503 with Retry-After; registration needs no issuer', async () => {
    foreign.issuer.up = false;
    await using own = await startServer(settings());
    const found = await Promise.all([PLACE, '/authorize?state=a'].map((path) => own.fetch(path)));
    const answer = await registration({ redirect_uris: [HOSTED] }, own);
    foreign.issuer.up = true;
    expect(found.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([
      [503, '5'],
      [503, '5'],
    ]);
    expect(answer.status).toBe(201);
  });
});

/** Sends the target exactly as it is written, which fetch would normalize. */
const raw = (path: string, method = 'GET') =>
  new Promise<{ status: number | undefined; location: string | undefined; text: string }>((resolve, reject) => {
    const sent = httpRequest(`${server.url}/`, { method, path }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, location: response.headers.location, text }));
    });
    sent.on('error', reject).end();
  });

describe('RFC 8707 §2 an authorization request loses resource on its way to the issuer', () => {
  const target = () => `${foreign.issuer.url}/authorize`;

  it.each([
    ['in the middle', 'client_id=a&resource=https%3A%2F%2Fx%2Fmcp&state=b', 'client_id=a&state=b'],
    ['several times', 'resource=a&client_id=a&resource=b&resource', 'client_id=a'],
    ['with an encoded name', 'client_id=a&%72esource=b&r%65source=c', 'client_id=a'],
    ['as the only parameter', 'resource=a', ''],
  ])('resource is left out %s, and the rest is as it was', async (_, sent, passed) => {
    const { status, location } = await raw(`/authorize?${sent}`);
    expect([status, location]).toEqual([302, target() + (passed && `?${passed}`)]);
  });

  it('every other parameter passes unchanged and in order: redirect_uri, repeated, empty, encoded and unknown ones', async () => {
    const query =
      'redirect_uri=https%3A%2F%2Fevil.example%2F%3Fresource%3Da&scope=a+b%20c&scope=d&&state=%0d%0aSet-Cookie:%20a&resources=1&Resource=2&x[resource]=3&?resource=4';
    expect((await raw(`/authorize?${query}`)).location).toBe(`${target()}?${query}`);
  });

  it.each(['//evil.example/', 'https://evil.example/', '@evil.example', '\\\\evil.example'])(
    'RFC 9700 §4.11 the redirect leads to the issuer alone, whatever the query says: %s',
    async (place) => {
      const { location = '' } = await raw(`/authorize?${encodeURI(place)}&redirect_uri=${encodeURIComponent(place)}`);
      expect(location.startsWith(`${target()}?`)).toBe(true);
    },
  );

  it('the own query of the endpoint of the issuer stays in front', async () => {
    await using made = await documentOf({ authorization_endpoint: `${target()}?p=policy` });
    const { headers } = await made.own.fetch('/authorize?resource=a&state=b');
    expect(headers.get('location')).toBe(`${target()}?p=policy&state=b`);
  });

  it('RFC 9110 §15.5.6 HEAD is answered as GET, and POST, which would have the parameters in a body, is 405', async () => {
    expect(await raw('/authorize?state=a', 'HEAD')).toMatchObject({ status: 302, location: `${target()}?state=a` });
    expect((await raw('/authorize?state=a', 'POST')).status).toBe(405);
  });

  it('RFC 6585 §5 a query that is larger than MAX_HEADER_SIZE is refused, and one of 8 KiB passes', async () => {
    expect((await raw(`/authorize?state=${'a'.repeat(8_192)}`)).status).toBe(302);
    await expect(raw(`/authorize?state=${'a'.repeat(100_000)}`)).resolves.toMatchObject({ status: 431 });
  });

  it('no line of the log has a parameter of the request', async () => {
    await raw('/authorize?state=a-secret-state&code_challenge=a-challenge');
    expect(server.log.join()).not.toMatch(/a-secret-state|a-challenge/);
  });

  it('no code, no token and no secret can come here: there is no token endpoint', async () => {
    expect((await server.fetch('/token', { method: 'POST', body: 'grant_type=authorization_code' })).status).toBe(404);
  });
});

describe('RFC 9068 §4 tokens are judged by the real issuer, as without restated metadata', () => {
  const token = (iss: string) => {
    const now = server.clock.now() / 1000;
    const claims = {
      iss,
      aud: `${server.url}/mcp`,
      sub: 'ada',
      client_id: 'mcp-client',
      scope: 'mcp:tools',
      exp: now + 600,
    };
    return signToken({ key: foreign.key, claims });
  };

  it('a token of the issuer is accepted, and explain-token says so too', async () => {
    const good = await token(foreign.issuer.url);
    expect(await server.whoami(good)).toMatchObject({ subject: 'ada', issuer: foreign.issuer.url });
    expect((await tell(server, settings(), good)).accepted).toBe(true);
  });

  it('a token that names this server as its issuer is refused, and explain-token says so too', async () => {
    const wrong = await token(server.url);
    expect(await server.whoami(wrong)).toMatchObject({ status: 401, reason: 'wrong_issuer', setting: 'ISSUER' });
    const told = await tell(server, settings(), wrong);
    expect(told.accepted).toBe(false);
    expect(refusedIn(told)).toMatchObject([{ reason: 'wrong_issuer' }]);
  });
});

const registration = (body: unknown, at = server, path = '/register', headers: Record<string, string> = {}) =>
  at.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('RFC 7591 §3.2 every client that registers gets the one client of the issuer', () => {
  it('RFC 7591 §3.2.1 the answer has the id, the redirect URIs of the request, no secret, and only what the client can use', async () => {
    const answer = await registration({
      client_name: 'Desk',
      redirect_uris: [HOSTED],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code', 'token'],
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      jwks_uri: 'https://evil.example/jwks',
      client_id: 'another',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      client_id: 'mcp-client',
      client_name: 'Desk',
      redirect_uris: [HOSTED],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    });
  });

  it.each(['http://localhost/callback', 'http://localhost:33418/callback', 'http://localhost:1/callback'])(
    'RFC 8252 §7.3 a loopback URI is registered with any port: %s',
    async (uri) => {
      const answer = await registration({ redirect_uris: [uri] });
      expect(await answer.json()).toMatchObject({ redirect_uris: [uri], grant_types: ['authorization_code'] });
    },
  );

  it.each([
    ['another site', 'https://evil.example/callback'],
    ['another port of a site', 'https://claude.ai:8443/api/mcp/auth_callback'],
    ['another path', 'http://localhost:33418/other'],
    ['another loopback host', 'http://127.0.0.1:33418/callback'],
    ['user information', 'http://localhost:1@evil.example/callback'],
    ['a host that begins alike', 'http://localhost.evil.example/callback'],
    ['a query', `${HOSTED}?next=https://evil.example`],
    ['another case', 'https://claude.ai/api/MCP/auth_callback'],
    ['a line break', `${HOSTED}\r\nSet-Cookie: a=b`],
  ])(
    'RFC 7591 §3.2.2 a redirect URI that is not of the client is refused, and the answer says which are: %s',
    async (_, uri) => {
      const answer = await registration({ redirect_uris: [HOSTED, uri] });
      expect(answer.status).toBe(400);
      const body = (await answer.json()) as { error: string; error_description: string };
      expect(body.error).toBe('invalid_redirect_uri');
      expect(body.error_description).toContain(`${CALLBACK} ${HOSTED}`);
      expect(body.error_description).not.toContain(uri);
    },
  );

  it.each([
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['no list', { redirect_uris: HOSTED }, 'invalid_redirect_uri'],
    ['numbers', { redirect_uris: [1] }, 'invalid_redirect_uri'],
    [
      'a grant without a person',
      { redirect_uris: [HOSTED], grant_types: ['client_credentials'] },
      'invalid_client_metadata',
    ],
    ['another response', { redirect_uris: [HOSTED], response_types: ['token'] }, 'invalid_client_metadata'],
    ['a list', [], 'invalid_client_metadata'],
    ['null', 'null', 'invalid_client_metadata'],
    ['no JSON', '{', 'invalid_client_metadata'],
    ['nothing', '', 'invalid_client_metadata'],
  ])('RFC 7591 §3.2.2 a registration with %s is refused', async (_, body, error) => {
    const answer = await registration(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error });
  });

  it('RFC 9110 §15.5.14, §15.5.16, §15.5.6 a large body is 413, another type 415, another method 405, and the connection goes on', async () => {
    expect((await registration({ redirect_uris: [HOSTED], client_name: 'a'.repeat(20_000) })).status).toBe(413);
    expect((await registration('a=b', server, '/register', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await server.fetch('/register')).status).toBe(405);
    const endless = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(40_000).fill(97));
        controller.close();
      },
    });
    const chunked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: endless, duplex: 'half' };
    expect((await server.fetch('/register', chunked as RequestInit)).status).toBe(413);
    expect((await registration({ redirect_uris: [HOSTED] })).status).toBe(201);
  });

  it('a web page of any origin can register and read the answer, because it is the same for everybody', async () => {
    const origin = { origin: 'https://page.example' };
    const asked = {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const preflight = await server.fetch('/register', { method: 'OPTIONS', headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    const answer = await registration({ redirect_uris: [HOSTED] }, server, '/register', origin);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([201, '*']);
  });
});
