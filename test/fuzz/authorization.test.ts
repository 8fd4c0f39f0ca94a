/** Fuzzes what a stranger sends to auth-server: registrations, redirect URIs, authorization and token requests. */
import fc from 'fast-check';
import { it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { type AuthTarget, openAuth, statusOf } from './targets.ts';
import { oddJson, oddObject, oddText } from './values.ts';

const json = (target: AuthTarget, path: string, body: string, headers: Record<string, string> = {}, method = 'POST') =>
  target.fetch(path, { method, headers: { 'content-type': 'application/json', ...headers }, body });

const METADATA = {
  redirect_uris: ['https://app.example/callback'],
  client_name: 'App',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'mcp:tools',
};
const METADATA_NAMES = [
  ...Object.keys(METADATA), 'client_uri', 'logo_uri', 'contacts', 'tos_uri', 'policy_uri', 'jwks_uri', 'jwks', 'software_id',
  'software_version', 'software_statement', 'application_type', 'sector_identifier_uri', 'subject_type', 'client_id', 'client_secret',
  'id_token_signed_response_alg', 'default_max_age', 'require_auth_time', 'dpop_bound_access_tokens', 'client_name#de', '__proto__',
]; // biome-ignore format: one list

it('RFC 7591 §3.1 odd registrations, and RFC 7592 §2.2 odd updates, cause no server error', () =>
  fuzz<[string, string, string], AuthTarget>({
    name: 'registrations',
    share: 1_500,
    open: () => openAuth(),
    inputs: fc.tuple(fc.oneof({ weight: 8, arbitrary: oddObject(METADATA, METADATA_NAMES) }, oddJson), oddObject(METADATA, METADATA_NAMES), oddText),
    send: async (on, [first, change, word]) => {
      const response = await json(on, '/register', first);
      const { status } = response;
      const text = await response.text();
      if (status !== 201) return [status];
      const { client_id, registration_access_token, ...registered } = JSON.parse(text) as Record<string, string>;
      const path = `/register/${encodeURIComponent(client_id ?? '')}`;
      const headers = { authorization: `Bearer ${registration_access_token}` };
      const asked = new URLSearchParams({ client_id: client_id ?? '', redirect_uri: String(registered.redirect_uris?.[0]), response_type: 'code', state: word });
      return [
        status,
        await statusOf(json(on, path, `${change.slice(0, -1)},"client_id":${JSON.stringify(client_id)}}`, headers, 'PUT')),
        await statusOf(on.fetch(`/authorize?${asked}`)),
        await statusOf(on.fetch(path, { method: 'DELETE', headers })),
      ];
    },
  })); // biome-ignore format: one line for each kind

/** Addresses in which parsers differ. */
const address: fc.Arbitrary<string> = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.tuple(
    fc.constantFrom('https:', 'http:', 'HTTPS:', 'myapp:', 'javascript:', 'data:', 'file:', 'ms-settings:', 'urn:', 'com.example.app:', ''),
    fc.constantFrom('//', '/', '', '///', '\\\\', '//user:pw@', '//@'),
    fc.oneof(fc.constantFrom('app.example', 'localhost', '127.0.0.1', '[::1]', '[fe80::1%25eth0]', '0x7f.1', '2130706433', 'xn--e1a', 'münchen.example', 'a..b', 'app.example:99999', 'app.example:', '%65.example'), oddText),
    fc.constantFrom('', '/', '/callback', '/a/../b', '/%2e%2e/', '?x=1', '#f', '/callback?code=1#', '//x', '/\u202e', '/\u0000'),
  ).map((parts) => parts.join('')),
  oddText,
); // biome-ignore format: one line for each kind

it('RFC 6749 §3.1.2, RFC 8252 §7 odd redirect URIs, registered and requested, cause no server error', () =>
  fuzz<[string, string, string], AuthTarget>({
    name: 'redirect URIs',
    share: 1_300,
    open: () => openAuth(),
    inputs: fc.tuple(address, address, fc.constantFrom('none', 'login', 'consent', 'select_account', '')),
    send: async (on, [registered, other, prompt]) => {
      const response = await json(on, '/register', JSON.stringify({ ...METADATA, redirect_uris: [registered] }));
      const { client_id = 'nobody' } = (await response.json()) as { client_id?: string };
      const statuses = [response.status];
      for (const redirect_uri of [registered, other]) {
        const asked = { client_id, redirect_uri, response_type: 'code', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...(prompt && { prompt }) };
        statuses.push(await statusOf(on.fetch(`/authorize?${new URLSearchParams(asked)}`, { headers: { accept: 'text/html' } })));
      }
      return statuses;
    },
  })); // biome-ignore format: one line for each kind

const PARAMETERS = [
  'client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method', 'prompt', 'max_age',
  'resource', 'request', 'request_uri', 'response_mode', 'display', 'ui_locales', 'id_token_hint', 'login_hint', 'acr_values', 'claims',
  'dpop_jkt', 'registration', 'authorization_details', 'audience', '__proto__',
]; // biome-ignore format: one list

const FORM_NAMES = [
  'grant_type', 'code', 'redirect_uri', 'client_id', 'client_secret', 'code_verifier', 'refresh_token', 'scope', 'resource', 'token',
  'token_type_hint', 'client_assertion', 'client_assertion_type', 'username', 'password', 'device_code', 'subject_token', 'audience',
]; // biome-ignore format: one list

const odd = (names: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...names), fc.oneof(oddText, oddJson)), { maxLength: 4 });

type Registered = AuthTarget & { readonly clientId: string };

async function openRegistered(): Promise<Registered> {
  const target = await openAuth();
  const { client_id } = (await (await json(target, '/register', JSON.stringify(METADATA))).json()) as {
    client_id: string;
  };
  return Object.assign(target, { clientId: client_id });
}

const written = (
  good: Readonly<Record<string, string>>,
  more: readonly (readonly [string, string])[],
): URLSearchParams =>
  new URLSearchParams([
    ...Object.entries(good).filter(([name]) => more.every(([other]) => other !== name)),
    ...more.map(([name, value]): [string, string] => [name, value]),
  ]);

it.each(['/authorize', '/par'])(
  'RFC 6749 §4.1.1, RFC 9126 §2.1 odd parameters at %s cause no server error',
  (path) =>
  fuzz<[string, string][], Registered>({
    name: `parameters at ${path}`,
    share: 1_000,
    open: openRegistered,
    inputs: odd(PARAMETERS),
    send: async (on, more) => {
      const good = { client_id: on.clientId, redirect_uri: METADATA.redirect_uris[0] ?? '', response_type: 'code', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', resource: 'http://localhost:8080/mcp' };
      const parameters = written(good, more);
      if (path === '/par') return [await statusOf(on.fetch(path, { method: 'POST', body: parameters }))];
      return [await statusOf(on.fetch(`${path}?${parameters}`, { headers: { accept: 'text/html' } }))];
    },
  }), // biome-ignore format: one line for each kind
);

it('RFC 6749 §4.1.3, RFC 7009 §2.1 odd token requests and revocations cause no server error', () =>
  fuzz<[string, [string, string][], string, string], Registered>({
    name: 'token requests',
    share: 1_200,
    open: openRegistered,
    inputs: fc.tuple(
      fc.constantFrom('/token', '/token', '/revoke', '/interaction/x/approve', '/callback/acme', '/callback/nobody'),
      odd(FORM_NAMES),
      fc.constantFrom('authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code', ''),
      fc.oneof(fc.constant(''), oddText.map((text) => `Basic ${Buffer.from(text).toString('base64')}`), oddText.map((text) => text.replace(/[^\t\x20-\x7e]/g, ''))),
    ),
    send: async (on, [path, more, grant_type, authorization]) => {
      const body = written({ grant_type, client_id: on.clientId, code: 'x', code_verifier: 'x'.repeat(43), refresh_token: 'x', token: 'x' }, more);
      return [await statusOf(on.fetch(path, { method: 'POST', body, ...(authorization && { headers: { authorization } }) }))];
    },
  })); // biome-ignore format: one line for each kind
