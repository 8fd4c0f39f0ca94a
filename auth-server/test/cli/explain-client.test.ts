/**
 * Proves that `explain-client` says of a client, its metadata document or its registration what the server with the same settings
 * says to the client, names the mend, and stores nothing.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../../src/client-documents/copies.ts';
import { authorizePath, NATIVE, register, WEB } from '../support/client.ts';
import { ClientHost, trustTestCertificate } from '../support/client-host.ts';
import { checkOf, type Explained, SECRET, startExplained } from '../support/explained.ts';
import { MCP, read } from '../support/running-server.ts';

trustTestCertificate();

let stage: Explained;
beforeEach(async (context) => {
  stage = await startExplained();
  context.onTestFinished(() => stage[Symbol.asyncDispose]());
});
const explain: Explained['explain'] = (...given) => stage.explain(...given);
const told: Explained['told'] = (...given) => stage.told(...given);
const file = (value: unknown) => {
  const path = join(stage.folder, 'registration.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};

describe('explain-client with a client id', () => {
  it('explain-client accepts a registered client with all its redirect URIs, and the client can sign people in', async () => {
    const client = await register(stage.server, NATIVE);
    const { status, stdout } = await explain([client.id]);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`✓ redirect URI: ${NATIVE}`)]);
    expect(stdout).toContain('Accepted: http://localhost:9000 would ask the person.');
    expect((await stage.server.fetch(authorizePath(client))).status).toBe(303);
  });

  it('explain-client refuses an unknown client with the error that the client gets, and says why it may be gone', async () => {
    const explained = await told(['nobody']);
    expect(explained).toMatchObject({ status: 1, accepted: false, turn: ['client'] });
    const answer = await read(
      await stage.server.fetch(authorizePath({ id: 'nobody', redirectUri: WEB }), {
        headers: { accept: 'application/json' },
      }),
    );
    expect(checkOf(explained, 'client')).toMatchObject({ error: answer.error, setting: 'CLIENT_LIFETIME' });
    expect(await told(['nobody'], { REGISTRATION: 'token' })).toMatchObject({ turn: ['operator'] });
  });

  it('RFC 8252 §7.3 explain-client accepts another port and name of a loopback address', async () => {
    const { id } = await register(stage.server, NATIVE);
    const explained = await told([id, '--redirect-uri', 'http://localhost:5173/callback']);
    expect(checkOf(explained, 'redirect URI')).toMatchObject({
      result: 'accepted',
      note: expect.stringContaining(NATIVE),
    });
    expect(await told([id, '--redirect-uri', 'http://localhost:5173/other'])).toMatchObject({ status: 1 });
  });

  it('explain-client names the registered redirect URIs, and still checks resource and scope', async () => {
    const { id } = await register(stage.server);
    const words = ['--redirect-uri', `${WEB}/`, '--resource', 'http://localhost:8080/other', '--scope', 'mcp:tools'];
    const explained = await told([id, ...words]);
    expect(checkOf(explained, 'redirect URI')).toMatchObject({
      error: 'invalid_redirect_uri',
      expected: WEB,
      turn: 'client',
    });
    expect(checkOf(explained, 'resource')).toMatchObject({
      error: 'invalid_target',
      expected: MCP,
      turn: 'operator',
      setting: 'RESOURCES',
    });
    expect(checkOf(explained, 'scope')).toMatchObject({ result: 'unchecked' });
    expect(explained.turn).toEqual(['client', 'operator']);
  });

  it('RFC 6749 §3.3 explain-client says which scopes are left out, and refuses if none remains', async () => {
    const { id } = await register(stage.server);
    const some = await told([id, '--scope', 'mcp:admin files:read']);
    expect(checkOf(some, 'scope')?.note).toMatch(/asked for mcp:admin \(left out.*: files:read\)/);
    const none = await told([id, '--scope', 'files:read']);
    expect(checkOf(none, 'scope')).toMatchObject({ error: 'invalid_scope', setting: 'RESOURCES', turn: 'client' });
  });

  it('explain-client names CLIENTS where the scope of a client of the operator is the limit', async () => {
    const explained = await told(['portal', '--scope', 'mcp:admin']);
    expect(checkOf(explained, 'scope')).toMatchObject({ turn: 'operator', setting: 'CLIENTS' });
    expect(checkOf(await told(['portal', '--redirect-uri', WEB]), 'redirect URI')).toMatchObject({
      setting: 'CLIENTS',
    });
  });

  it.each(['job', 'pushes'])('explain-client says what it does not check of %s', async (id) => {
    const { status, stdout } = await explain([id]);
    expect([status, stdout]).toEqual([0, expect.stringContaining('· redirect URI')]);
    expect(stdout).toContain('Nothing is refused. What is marked with · was not checked.');
  });

  it('explain-client says that the scopes of an MCP server could not be read', async () => {
    const explained = await told(['portal'], { RESOURCES: 'http://localhost:1' });
    expect(checkOf(explained, 'scope')?.note).toContain('could not be read, so the usual scopes are assumed');
  });

  it('CWE-150 explain-client writes no control characters of a client to the terminal', async () => {
    const { stdout } = await explain(['a\u001b[2Jb', '--scope', 'x']);
    expect(stdout).toContain('client: a?[2Jb');
  });
});

describe('explain-client with a metadata document', () => {
  it('explain-client fetches the document as a sign-in does, and accepts it', async () => {
    await using host = await ClientHost.start();
    const id = host.publish();
    const explained = await told([id], { CLIENT_METADATA_PRIVATE_HOSTS: host.name });
    expect(explained).toMatchObject({ status: 0, accepted: true });
    expect(checkOf(explained, 'redirect URI')).toMatchObject({ found: WEB });
    expect(host.requests()).toBe(1);
  });

  it.each([
    ['CLIENT_METADATA_ALLOW', 'operator', {}, { CLIENT_METADATA_ALLOW: 'claude.ai' }],
    ['CLIENT_METADATA_DENY', 'operator', {}, { CLIENT_METADATA_DENY: 'localhost' }],
    ['CLIENT_METADATA', 'operator', {}, { CLIENT_METADATA: 'false' }],
    [undefined, 'client', { client_id: 'https://app.example/' }, {}],
    [undefined, 'client', { redirect_uris: ['http://evil.example/cb'] }, {}],
    [undefined, 'client', { client_secret: SECRET }, {}],
  ])(
    'explain-client names %s and the turn of the %s for a document that is refused',
    async (setting, turn, change, env) => {
      await using host = await ClientHost.start();
      const id = host.publish(change);
      const explained = await told([id], { CLIENT_METADATA_PRIVATE_HOSTS: host.name, ...env });
      expect(explained).toMatchObject({ status: 1, turn: [turn] });
      expect(checkOf(explained, 'client')).toMatchObject({ error: 'invalid_client', mend: expect.any(String) });
      expect(checkOf(explained, 'client')?.setting).toBe(setting);
    },
  );

  it('explain-client names CLIENT_METADATA_COPIES for a host that answers this server with 403', async () => {
    await using host = await ClientHost.start();
    const id = host.publish({}, { status: 403 });
    const explained = await told([id], { CLIENT_METADATA_PRIVATE_HOSTS: host.name });
    expect(checkOf(explained, 'client')).toMatchObject({
      reason: 'status: answered 403',
      setting: 'CLIENT_METADATA_COPIES',
    });
  });
});

describe('explain-client with a copy of a metadata document', () => {
  it('explain-client accepts a client by the copy of the operator, while its host refuses this server', async () => {
    await using host = await ClientHost.start();
    const id = host.publish({}, { status: 403 });
    const document = { client_id: id, client_name: 'App', redirect_uris: [WEB] };
    const copy = textOf({ clientId: id, fetchedAt: Math.floor(Date.now() / 1000), document });
    writeFileSync(join(stage.folder, 'copy.json'), copy);
    const explained = await told([id], {
      CLIENT_METADATA_PRIVATE_HOSTS: host.name,
      CLIENT_METADATA_COPIES: stage.folder,
    });
    expect(explained).toMatchObject({ status: 0, accepted: true });
    expect(checkOf(explained, 'redirect URI')).toMatchObject({ found: WEB });
  });
});

describe('explain-client with a registration', () => {
  const app = { client_name: 'App', redirect_uris: [NATIVE], scope: 'mcp:tools', token_endpoint_auth_method: 'none' };

  it('RFC 7591 §3.2.1 explain-client registers at a server in its own process, and names what would be changed', async () => {
    const explained = await told(['--registration', file(app)]);
    expect(explained).toMatchObject({ status: 0, accepted: true });
    expect(checkOf(explained, 'registration')?.note).toBe('the server leaves out or changes scope');
    expect(checkOf(explained, 'redirect URI')).toMatchObject({ found: NATIVE });
    const { found: id = '' } = checkOf(explained, 'client') ?? {};
    expect(await stage.store.get('Client', id)).toBeUndefined();
  });

  it('RFC 7591 §3.2.2 explain-client refuses metadata with the error of the server, from standard input too', async () => {
    const payload = JSON.stringify({ ...app, redirect_uris: ['javascript:alert(1)'] });
    const explained = await told(['--registration', '-'], {}, payload);
    expect(explained).toMatchObject({ status: 1, turn: ['client'] });
    expect(checkOf(explained, 'registration')).toMatchObject({
      error: 'invalid_redirect_uri',
      reason: 'redirect_uris must not use the javascript URI scheme',
    });
  });

  it.each(['nonsense', '[]', 'null', ''])('explain-client refuses the registration %j', async (payload) => {
    expect(await told(['--registration', file(payload)])).toMatchObject({ status: 1, turn: ['client'] });
  });

  it('explain-client names REGISTRATION where registration is off or needs an initial access token', async () => {
    const off = await told(['--registration', file(app)], { REGISTRATION: 'off' });
    expect(off).toMatchObject({ status: 1, turn: ['operator'] });
    expect(checkOf(off, 'registration')).toMatchObject({ setting: 'REGISTRATION' });
    const token = await told(['--registration', file(app)], { REGISTRATION: 'token' });
    expect(checkOf(token, 'registration')?.note).toContain('initial-access-tokens add');
    expect(token.accepted).toBe(true);
  });
});
