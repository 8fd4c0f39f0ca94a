/**
 * Proves that commands add and remove clients while the server runs, and that a secret is shown once and stored
 * encrypted.
 */
import { randomBytes } from 'node:crypto';
import { isMarked, type StatusClaim } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientsCommands } from '../../../src/cli/clients/clients.ts';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { type RecordStore, StoreUnavailable } from '../../../src/storage/record-store.ts';
import { createSealedStore } from '../../../src/storage/sealed.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { authorizePath, refresh, register, tokensFor } from '../../support/client.ts';
import { commandsOn } from '../../support/command-store.ts';
import { DEVICE_GRANT, ON } from '../../support/device.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

describe('clients', () => {
  const clock = new FakeClock(Date.now());
  let plain: RecordStore;
  let store: RecordStore;
  let statusStore: StatusStore;
  let server: RunningServer;
  beforeEach(async () => {
    plain = createSqliteStore(':memory:', clock);
    store = createSealedStore(plain, [randomBytes(32)]);
    statusStore = createSqliteStatusStore(':memory:', clock);
    server = await startServer({ store, statusStore, clock });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const clients = (line: string, env = {}) =>
    run(clientsCommands(commandsOn({ store, statusStore, clock })), line, env);
  const added = async (line: string): Promise<Record<string, string>> => {
    const { status, stdout, stderr } = await clients(`add --json ${line}`);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };
  const machineToken = ({ client_id = '', client_secret = '' }) =>
    server.fetch('/token', {
      ...form({ grant_type: 'client_credentials' }),
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    });
  const later = () => clock.advance(6);

  it('clients add creates a machine client with a secret of 256 bits, which a running server accepts', async () => {
    const client = await added('--name Nightly --scope mcp:tools');
    expect(Buffer.from(client.client_secret ?? '', 'base64url')).toHaveLength(32);
    later();
    expect(await read(await machineToken(client))).toMatchObject({ scope: 'mcp:tools' });
  });

  it('RFC 8628 clients add creates a public client for device codes, where they are offered', async () => {
    const line = `add --json --name Build --grant ${DEVICE_GRANT} --grant refresh_token`;
    const { status, stdout } = await clients(line, ON);
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.not.objectContaining({ client_secret: expect.anything() }),
    ]);
    expect(await clients(`add --json --grant ${DEVICE_GRANT}`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('grant_types must contain'),
    });
  });

  it('clients add creates a client that signs people in', async () => {
    const client = await added('--redirect-uri https://portal.example/cb --redirect-uri http://127.0.0.1/cb');
    later();
    const portal = { id: client.client_id ?? '', redirectUri: 'https://portal.example/cb' };
    expect(await tokensFor(server, portal)).toMatchObject({ refresh_token: expect.any(String) });
  });

  it('clients add shows the secret once, and clients list never shows it', async () => {
    const { stdout } = await clients('add --name Nightly');
    const secret = /client_secret +(\S+) +not shown again/.exec(stdout)?.[1] ?? '';
    expect(secret).toHaveLength(43);
    for (const line of ['list', 'list --json']) {
      const listed = await clients(line);
      expect(listed.stdout).toContain('Nightly');
      expect(listed.stdout).not.toContain(secret);
    }
    expect(JSON.stringify(await plain.get('PreRegisteredClients', 'all'))).not.toContain(secret);
  });

  it.each([
    ['add --grant client_credentials --auth-method none', 2, 'needs a secret or keys for client_credentials'],
    ['add --grant authorization_code', 2, 'needs redirect_uris'],
    ['add --auth-method telepathy', 2, 'token_endpoint_auth_method'],
    ['add --auth-method private_key_jwt', 2, 'needs jwks or jwks_uri'],
    ['add --redirect-uri http://evil.example/cb', 1, 'redirect_uris must use https unless they are loopback'],
    ['add --redirect-uri javascript:alert(1)', 1, 'redirect_uris'],
    ['remove nobody', 1, 'there is no client "nobody"'],
    ['remove', 2, '<client_id> is missing'],
  ])('clients %s ends with %i and says why', async (line, status, reason) => {
    const ended = await clients(line);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain(reason);
    expect((await clients('list --json')).stdout).toBe('[]\n');
  });

  it('clients that are added at the same moment are all kept', async () => {
    await Promise.all(Array.from({ length: 4 }, (_, n) => clients(`add --name job-${n}`)));
    expect(JSON.parse((await clients('list --json')).stdout)).toHaveLength(4);
  });

  it('clients remove stops a machine client', async () => {
    const client = await added('--name Nightly');
    later();
    expect((await machineToken(client)).status).toBe(200);
    expect((await clients(`remove ${client.client_id}`)).status).toBe(0);
    later();
    expect((await machineToken(client)).status).toBe(401);
  });

  it('RFC 6749 §5.2 clients remove ends the tokens of a machine client, and servers that still know it give it no others', async () => {
    const client = await added('--name Nightly');
    later();
    const { access_token: token } = await read(await machineToken(client));
    expect((await clients(`remove ${client.client_id}`)).status).toBe(0);
    const answer = await machineToken(client);
    expect([answer.status, (await read(answer)).error]).toEqual([401, 'invalid_client']);
    const { uri, idx } = decodeJwt<{ status: StatusClaim }>(String(token)).status.status_list;
    const marks = await statusStore.marks(uri.split('/').at(-1) ?? '');
    expect(marks && isMarked(marks.bits, idx)).toBe(true);
  });

  it('clients remove can be run again after it was interrupted, because the client goes last', async () => {
    const client = await added('--name Nightly');
    const directory = {
      ...createSqliteDirectory(':memory:', clock),
      ids: async () => {
        throw new StoreUnavailable('lost');
      },
    };
    const interrupted = commandsOn({ store, statusStore, clock, directory });
    expect((await run(clientsCommands(interrupted), `remove ${client.client_id}`)).status).toBe(1);
    expect((await clients('list')).stdout).toContain('Nightly');
    expect((await clients(`remove ${client.client_id}`)).status).toBe(0);
    expect((await clients('list')).stdout).not.toContain('Nightly');
  });

  it('RFC 6749 §5.2 clients remove deletes a client that registered itself, with everything approved for it', async () => {
    const client = await register(server);
    const { refresh_token } = await tokensFor(server, client);
    expect((await clients(`remove -- ${client.id}`)).status).toBe(0);
    later();
    const answer = await refresh(server, client, refresh_token);
    expect([answer.status, (await read(answer)).error]).toEqual([401, 'invalid_client']);
    const page = await server.fetch(authorizePath(client), { headers: { accept: 'text/html' } });
    expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('not registered here')]);
  });

  it('a client of CLIENTS is listed, and can be removed only in its file', async () => {
    const env = {
      CLIENTS: JSON.stringify([
        { client_id: 'job', client_secret: 'a-secret-of-the-job', grant_types: ['client_credentials'] },
      ]),
    };
    expect((await clients('list', env)).stdout).toMatch(/job .*in CLIENTS/);
    expect(await clients('remove job', env)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('remove it there'),
    });
  });
});
