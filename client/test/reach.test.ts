/** Proves that a server of the internet can't send this program to this machine or its network (CWE-918), nor to plain http. */
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { describe, expect, it } from 'vitest';
import { withinReachOf } from '../src/doctor/network/ask.ts';
import { flawOf } from '../src/reach.ts';
import { authorize } from '../src/sign-in/authorize.ts';
import { renew, revoke } from '../src/sign-in/renew.ts';

const SERVER = new URL('https://mcp.example/mcp');

const INSIDE = [
  'http://169.254.169.254/latest/meta-data',
  'https://127.0.0.1:2375',
  'http://2130706433/',
  'http://localhost:9200/',
  'http://[::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://0.0.0.0/',
  'https://192.168.1.1/',
];

describe('where a server leads', () => {
  it.each(INSIDE)('CWE-918 a server of the internet may not lead to %s', (target) => {
    expect(flawOf(SERVER, new URL(target))).toBe('which is inside this network, and the server is not');
  });

  it.each([
    ['https://mcp.example/mcp', 'http://as.example/', 'which is not https'],
    ['https://mcp.example/mcp', 'http://keycloak/', 'which is not https'],
    ['http://localhost:8080/mcp', 'http://as.example/', 'which is not https'],
    ['https://mcp.example/mcp', 'file:///etc/passwd', 'which is not https'],
    ['https://mcp.example/mcp', 'https://as.example/', undefined],
    ['https://mcp.example/mcp', 'https://id.corp.internal/', undefined],
    ['http://localhost:8080/mcp', 'http://localhost:9000/', undefined],
    ['http://mcp-server:8080/mcp', 'http://auth-server:9000/', undefined],
    ['http://10.0.0.7/mcp', 'https://as.example/', undefined],
    ['http://203.0.113.7/mcp', 'http://203.0.113.7/authorize', undefined],
  ])('RFC 8414 §2 %s leads to %s: %s', (server, target, flaw) => {
    expect(flawOf(new URL(server), new URL(target))).toBe(flaw);
  });
});

const RESOURCE = 'https://mcp.example/.well-known/oauth-protected-resource/mcp';
const METADATA = 'https://as.example/.well-known/oauth-authorization-server';

/** The network of a hostile server: its documents, and every URL that was requested. */
function hostile(documents: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const fetch: Fetch = async (input) => {
    const url = String(input instanceof Request ? input.url : input);
    asked.push(url);
    if (url === SERVER.href) {
      const named = (documents.challenge as { url?: string } | undefined)?.url ?? RESOURCE;
      return new Response(null, {
        status: 401,
        headers: { 'www-authenticate': `Bearer resource_metadata="${named}"` },
      });
    }
    const document = documents[url];
    return document ? Response.json(document) : new Response(null, { status: 404 });
  };
  return { fetch, asked };
}

const metadata = (more: object) => ({
  issuer: 'https://as.example',
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
  registration_endpoint: 'https://as.example/register',
  revocation_endpoint: 'https://as.example/revoke',
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  ...more,
});

const documents = (more: object, servers = ['https://as.example']) => ({
  [RESOURCE]: { resource: SERVER.href, authorization_servers: servers },
  [METADATA]: metadata(more),
  'https://as.example/register': { client_id: 'c', redirect_uris: [] },
});

const INNER = 'http://169.254.169.254/latest';

describe('a sign-in at a hostile server', () => {
  it.each<[string, Readonly<Record<string, object>>]>([
    ['the place of its metadata', { challenge: { url: INNER } }],
    ['its authorization server', documents({}, [INNER])],
    ['the registration', documents({ registration_endpoint: INNER })],
    ['the page for the browser', documents({ authorization_endpoint: INNER })],
    ['the device code', documents({ device_authorization_endpoint: 'https://169.254.169.254/latest' })],
  ])('CWE-918 the program ends before a request where %s is inside this network', async (what, given) => {
    const { fetch, asked } = hostile(given);
    const opened: string[] = [];
    const wish = { name: 'c', device: what === 'the device code', browser: true, say: () => {}, hide: () => {} };
    const dependencies = {
      fetch,
      openBrowser: (at: URL) => void opened.push(at.href),
      now: () => 0,
      wait: async () => {},
      secret: () => ({ client_secret: 'secret' }),
    };
    await expect(authorize(SERVER, wish, dependencies)).rejects.toThrow('169.254.169.254');
    expect([...asked, ...opened].filter((url) => url.includes('169.254'))).toEqual([]);
  });

  it('CWE-918 a renewal and a sign-out send tokens nowhere inside this network', async () => {
    const inner = { token_endpoint: 'https://127.0.0.1/token', revocation_endpoint: 'https://127.0.0.1/revoke' };
    const { fetch, asked } = hostile(documents(inner));
    const tokens = { access_token: 'a', refresh_token: 'r', token_type: 'Bearer' };
    const grant = { server: 'https://as.example', issuer: 'https://as.example', client: { client_id: 'c' }, tokens };
    await expect(renew(SERVER, grant, fetch, () => ({ client_secret: 'secret' }))).rejects.toThrow('127.0.0.1');
    expect(await revoke(SERVER, grant, fetch, () => ({ client_secret: 'secret' }))).toBe(false);
    expect(asked.filter((url) => url.includes('127.0.0.1'))).toEqual([]);
  });
});

it('CWE-918 the doctor asks nothing inside this network for a server of the internet', async () => {
  const asked: string[] = [];
  const ask = withinReachOf(SERVER, async ({ url }) => {
    asked.push(String(url));
    return { url: String(url), status: 200, headers: {}, body: '', cut: false, sentAt: 1, answeredAt: 1 };
  });
  for (const url of INSIDE)
    expect(await ask({ url })).toMatchObject({ status: 0, failure: expect.stringMatching(/^not asked/) });
  expect(asked).toEqual([]);
  expect(await ask({ url: 'https://as.example/' })).toMatchObject({ status: 200 });
});
