/** Proves that a bad client in CLIENTS stops the start, names every problem, and never prints a secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startServer } from '../support/running-server.ts';

const good = { client_id: 'job', client_secret: 'a-secret-of-the-job', grant_types: ['client_credentials'] };
const problemsOf = async (clients: unknown): Promise<string> => {
  const text = typeof clients === 'string' ? clients : JSON.stringify(clients);
  return startServer({ env: { CLIENTS: text } }).then(
    (server) => server[Symbol.asyncDispose]().then(() => 'started'),
    (error) => error.message,
  );
};

it.each([
  ['no JSON', 'nonsense', 'expected a JSON array of clients'],
  ['no array', {}, 'expected a JSON array of clients'],
  ['no id', [{ ...good, client_id: undefined }], 'client 1: client_id'],
  ['a URL as id', [{ ...good, client_id: 'https://app.example/c' }], 'client_id must not be a URL'],
  ['a short secret', [{ ...good, client_secret: 'short' }], '16 characters or more'],
  ['no proof for client_credentials', [{ ...good, client_secret: undefined }], 'needs a secret or keys'],
  ['a secret that nothing uses', [{ ...good, token_endpoint_auth_method: 'none' }], 'does not use'],
  [
    'token exchange by a client with a secret',
    [{ ...good, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] }],
    'needs private_key_jwt for token exchange',
  ],
  ['an unknown grant', [{ ...good, grant_types: ['password'] }], 'grant_types'],
  [
    'a misspelled member',
    [{ ...good, redirect_uri: 'x' }],
    '"redirect_uri" is not a known member; did you mean "redirect_uris"?',
  ],
  [
    'a misspelled member that would protect',
    [{ ...good, dpop_bound_acces_tokens: true }],
    'did you mean "dpop_bound_access_tokens"?',
  ],
  ['a scope in the plural', [{ ...good, scopes: 'a' }], '"scopes" is not a known member; did you mean "scope"?'],
  [
    'protection that this server does not offer',
    [{ ...good, tls_client_certificate_bound_access_tokens: true }],
    'tls_client_certificate_bound_access_tokens is not supported, so',
  ],
  ['an id of blanks', [{ ...good, client_id: '  ' }], 'client_id must not be blank'],
  ['the same id twice', [good, good], '"job" is listed twice'],
  ['people without a place to go', [{ client_id: 'portal' }], 'needs redirect_uris'],
  [
    'a redirect URI that leads nowhere safe',
    [{ client_id: 'p', redirect_uris: ['http://evil.example/'] }],
    'must use https',
  ],
])('CLIENTS with %s is refused at start', async (_, clients, reason) => {
  const said = await problemsOf(clients);
  expect(said).toContain('CLIENTS');
  expect(said).toContain(reason);
  expect(said).not.toContain(good.client_secret);
});

it('RFC 7591 §3.2.1 CLIENTS accepts the other members of a registration response', async () => {
  const answer = {
    ...good,
    client_id_issued_at: 1_700_000_000,
    client_secret_expires_at: 0,
    registration_access_token: 'x',
    registration_client_uri: 'https://auth.example/register/job',
    'client_name#de': 'Auftrag',
    software_id: 'x',
    software_version: '1',
    software_statement: 'eyJ',
    contacts: ['a@b.example'],
    logo_uri: 'https://b.example/logo.png',
    tos_uri: null,
    post_logout_redirect_uris: [],
    subject_type: 'public',
    id_token_signed_response_alg: 'RS256',
    require_auth_time: false,
    tls_client_certificate_bound_access_tokens: false,
  };
  expect(await problemsOf([answer])).toBe('started');
});

it('RFC 7591 §3.2.1 an expired client secret is refused', async () => {
  const ask = async (client_secret_expires_at: number) => {
    await using server = await startServer({
      env: { CLIENTS: JSON.stringify([{ ...good, client_secret_expires_at }]) },
    });
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    const headers = { authorization: `Basic ${btoa(`job:${good.client_secret}`)}` };
    return (await server.fetch('/token', { method: 'POST', body, headers })).status;
  };
  expect([await ask(0), await ask(4_000_000_000), await ask(1_700_000_000)]).toEqual([200, 200, 400]);
});

it('CLIENTS reports all problems of all clients at once', async () => {
  const said = await problemsOf([{ client_id: 'a' }, { client_id: 'b', client_secret: 'x' }]);
  expect(said).toContain('client "a"');
  expect(said).toContain('client "b"');
});

it('CLIENTS_FILE names the file that is read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify([good]));
  await using server = await startServer({ env: { CLIENTS_FILE: join(folder, 'clients.json') } });
  const answer = await server.fetch('/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: `Basic ${btoa(`job:${good.client_secret}`)}` },
  });
  expect(answer.status).toBe(200);
  rmSync(folder, { recursive: true });
});
