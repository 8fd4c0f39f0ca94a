/**
 * Proves over HTTP that personal tokens verify with the published keys, and that their keys sign nothing else: the engine never gets
 * them.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokensCommands } from '../../src/cli/tokens/command.ts';
import { withInProcessServer } from '../../src/compose/in-process/server.ts';
import { readConfig } from '../../src/config.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { rotate } from '../../src/keys/operator-changes.ts';
import { generateSigningKey, publicPart } from '../../src/keys/signing-key.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { authorize, redeem, register, WEB } from '../support/client.ts';
import { commandsOn } from '../support/command-store.ts';
import { policy } from '../support/opened-keys.ts';
import { form, ISSUER, MCP, type RunningServer, read, startServer } from '../support/running-server.ts';

interface KeySet {
  readonly keys: { readonly kid: string; readonly alg: string }[];
}

const PATIENCE = { timeout: 30_000 };
const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));

describe('personal tokens at a running server', () => {
  const JOB = { client_id: 'job', client_secret: 'a-secret-of-the-job-123', grant_types: ['client_credentials'] };
  const env = {
    PERSONAL_TOKENS: 'services',
    KEY_POLL: '1s',
    KEY_LEAD: '3s',
    DOCUMENT_LIFETIME: '1s',
    CLIENTS: JSON.stringify([JOB]),
  };
  let store: RecordStore;
  let statusStore: StatusStore;
  let server: RunningServer;
  beforeEach(async () => {
    store = createSqliteStore(':memory:', systemClock);
    statusStore = createSqliteStatusStore(':memory:', systemClock);
    server = await startServer({ env, store, statusStore });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const keySet = async (path = '/jwks') => (await (await server.fetch(path)).json()) as KeySet;
  const tokens = (line: string, own: Record<string, string> = env) =>
    run(tokensCommands(commandsOn({ store, statusStore, clock: systemClock })), line, own);
  const personalKids = async () =>
    (await createKeyStore(store, 'personal').load())?.ring.map(({ key }) => key.kid) ?? [];

  /** One token of each kind that the engine signs. */
  async function tokensOfEngine(): Promise<readonly string[]> {
    const client = await register(server, WEB, { grant_types: ['authorization_code', 'refresh_token'] });
    const { code } = await authorize(server, client, { scope: 'openid mcp:tools offline_access' });
    const first = await read(await redeem(server, client, code));
    const renewal = { grant_type: 'refresh_token', refresh_token: String(first.refresh_token), client_id: client.id };
    const next = await read(await server.fetch('/token', form(renewal)));
    const secret = { client_id: 'job', client_secret: JOB.client_secret };
    const machine = await read(await server.fetch('/token', form({ grant_type: 'client_credentials', ...secret })));
    return [first.access_token, first.id_token, next.access_token, next.id_token, machine.access_token].map(String);
  }

  it('RFC 7517 §5 both rings are published at every spelling of the path, with public members only', async () => {
    const [own] = await personalKids();
    const { keys } = await keySet();
    expect(keys).toHaveLength(2);
    expect(keys[1]).toMatchObject({ kid: own, kty: 'EC', use: 'sig' });
    expect(Object.keys(keys[1] ?? {})).not.toContain('d');
    for (const path of ['/jwks/', '/JWKS', '/jwks?x=1', '/jwks']) expect(await keySet(path)).toEqual({ keys });
  });

  it('RFC 9068 §4 a token of a service verifies with the published keys', async () => {
    const { stdout, stderr } = await tokens('add nightly --scopes mcp:tools');
    expect(stderr).toMatch(/^This is token [0-9a-f]{20} of service:nightly, valid until 2/);
    const { payload, protectedHeader } = await jwtVerify(stdout.trim(), createLocalJWKSet(await keySet()), {
      issuer: ISSUER,
      audience: MCP,
      typ: 'at+jwt',
    });
    expect(protectedHeader.kid).toBe((await personalKids())[0]);
    expect(payload).toMatchObject({ sub: 'service:nightly', client_id: 'service:nightly', scope: 'mcp:tools' });
    const { uri } = (payload.status as { status_list: { uri: string } }).status_list;
    expect(uri).toMatch(new RegExp(`^${ISSUER}/status/[\\w-]{22}$`));
    expect((await server.fetch(uri)).headers.get('content-type')).toBe('application/statuslist+jwt');
  });

  it('ADR 9 the engine signs no token with a personal key, also after that ring has rotated', async () => {
    const before = await tokensOfEngine();
    const ring = createKeyStore(store, 'personal');
    const dependencies = { store: ring, policy: { ...policy, lead: 3, poll: 1 }, clock: systemClock };
    const { successor } = await rotate({ ...dependencies, generate: generateSigningKey }, true);
    await expect.poll(async () => (await keySet()).keys.map(({ kid }) => kid), PATIENCE).toContain(successor.kid);
    await expect.poll(async () => (await keySet()).keys[1]?.kid, PATIENCE).toBe(successor.kid);
    expect((await keySet()).keys[1]).toEqual(publicPart(successor));
    const personal = await personalKids();
    expect(personal).toHaveLength(2);
    for (const token of [...before, ...(await tokensOfEngine())]) {
      expect(personal).not.toContain(decodeProtectedHeader(token).kid);
    }
    expect(JSON.stringify(server.log)).not.toContain(String(successor.d));
  });

  it('RFC 7009 §2.1 no client ends or uses a personal token at the token endpoints', async () => {
    const { stdout } = await tokens('add nightly --scopes mcp:tools');
    const token = stdout.trim();
    const client = await register(server);
    const revoke = (id: string) => server.fetch('/revoke', form({ token, client_id: id }));
    expect((await revoke(client.id)).status).toBeLessThan(500);
    expect((await revoke('service:nightly')).status).toBe(401);
    const refresh = { grant_type: 'refresh_token', refresh_token: token, client_id: client.id };
    expect(await read(await server.fetch('/token', form(refresh)))).toMatchObject({ error: 'invalid_grant' });
    expect((await tokens('list')).stdout).toContain('nightly');
  });

  it('PERSONAL_TOKENS=off: no key is published, no token is made, and those that there are end', async () => {
    await tokens('add nightly --scopes mcp:tools');
    await using off = await startServer({ env: { ...env, PERSONAL_TOKENS: 'off' }, store, statusStore });
    expect(((await (await off.fetch('/jwks')).json()) as KeySet).keys).toHaveLength(1);
    await expect.poll(async () => (await tokens('list --json')).stdout, PATIENCE).toBe('[]\n');
    const refused = await tokens('add nightly --scopes mcp:tools', { ...env, PERSONAL_TOKENS: 'off' });
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/PERSONAL_TOKENS is off/);
  });

  it('a server inside a command checks no tokens: the answers of identity providers would be lost', async () => {
    await expect.poll(() => store.get('PersonalTokenCheck', '0'), PATIENCE).toBeDefined();
    const scratch = createSqliteStore(':memory:', systemClock);
    const options = { env, config: readConfig(env, kinds), store: scratch };
    const status = await withInProcessServer(options, async (inside) => (await inside.ask('/jwks')).status);
    expect([status, await scratch.get('PersonalTokenCheck', '0')]).toEqual([200, undefined]);
    await scratch.close();
  });
});
