/** Owns the proof that a bad client in CLIENTS stops the start, names every problem, and never prints a secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startServer } from '../running-server.ts';

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
  ['an unknown grant', [{ ...good, grant_types: ['password'] }], 'grant_types'],
  ['a misspelled member', [{ ...good, redirect_uri: 'x' }], 'redirect_uri'],
  ['the same id twice', [good, good], '"job" is there twice'],
  ['people without a place to go', [{ client_id: 'portal' }], 'needs redirect_uris'],
  [
    'a redirect URI that leads nowhere safe',
    [{ client_id: 'p', redirect_uris: ['http://evil.example/'] }],
    'must use https',
  ],
])('%s is refused at start', async (_, clients, reason) => {
  const said = await problemsOf(clients);
  expect(said).toContain('CLIENTS');
  expect(said).toContain(reason);
  expect(said).not.toContain(good.client_secret);
});

it('tells all problems of all clients at once', async () => {
  const said = await problemsOf([{ client_id: 'a' }, { client_id: 'b', client_secret: 'x' }]);
  expect(said).toContain('client "a"');
  expect(said).toContain('client "b"');
});

it('reads the file that CLIENTS_FILE names', async () => {
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
