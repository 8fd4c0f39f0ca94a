/**
 * Proves that one operation ends access, whoever starts it: a grant, a client, a person, or everything before a moment; and that each
 * ending is told once.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WithStore } from '../../src/cli/store.ts';
import { composeEndings } from '../../src/compose/revocation/endings.ts';
import type { By, Ended, Ending, Target } from '../../src/revocation/endings.ts';
import type { GrantDirectory } from '../../src/revocation/grant-directory.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient, WEB } from '../support/client.ts';
import { commandsOn } from '../support/command-store.ts';
import { form, json, type RunningServer, read, startServer } from '../support/running-server.ts';
import { isMarkedIn, referenceOf } from '../support/token-status.ts';

const MACHINE = ['client_credentials'];
const CLI: By = { origin: 'cli' };

let clock: FakeClock;
let store: RecordStore;
let directory: GrantDirectory;
let statusStore: StatusStore;
let server: RunningServer;
let told: Ending[];
let withStore: WithStore;

beforeEach(async () => {
  clock = new FakeClock(Date.now());
  store = createSqliteStore(':memory:', clock);
  directory = createSqliteDirectory(':memory:', clock);
  statusStore = createSqliteStatusStore(':memory:', clock);
  server = await startServer({ store, directory, statusStore, clock });
  withStore = commandsOn({ store, directory, statusStore, clock });
  told = [];
  return () => server[Symbol.asyncDispose]();
});

const now = () => Math.floor(clock.now() / 1000);

/** Ends as a command does: in another process than the server. */
const end = (target: Target): Promise<Ended> =>
  withStore({ NODE_ENV: 'test' }, ({ config, ...opened }) =>
    composeEndings(config, { ...opened, onEnded: (ending) => told.push(ending) }).end(target, CLI),
  );

interface Approved {
  readonly token: string;
  readonly access: string;
  readonly browser: Browser;
}

async function approved(client: TestClient, person = 'alice', browser = new Browser(server)): Promise<Approved> {
  const { code } = await authorize(server, client, {}, { person, browser });
  const { refresh_token: token, access_token: access } = await read(await redeem(server, client, code));
  return { token: String(token), access: String(access), browser };
}

/** Whether the browser has no session any more: its person is sent to the upstream. */
async function asksAgain(client: TestClient, { browser }: Approved): Promise<boolean> {
  const response = await browser.visit(authorizePath(client, { prompt: 'none' }));
  return (response.headers.get('location') ?? '').includes('login_required');
}

const isAlive = async (client: TestClient, { token }: Approved) =>
  (await refresh(server, client, token)).status === 200;

/** Whether the status list says that the access token was revoked, once the server asks its store again. */
async function isRefused({ access }: Pick<Approved, 'access'>): Promise<boolean> {
  const reference = referenceOf(access);
  clock.advance(2);
  return isMarkedIn(await server.fetch(reference.uri), reference);
}

const entryOf = async (client: TestClient) => (await directory.byClient(client.id)).items[0];

describe('an ending', () => {
  it('RFC 6749 §5.2 the end of a grant ends its refresh tokens and no others, and the person may approve again', async () => {
    const [desk, cli] = [await register(server), await register(server)];
    const [ended, other] = [await approved(desk), await approved(cli)];
    const id = (await entryOf(desk))?.id ?? '';
    expect(await end({ kind: 'grant', id })).toEqual({ grants: 1 });
    expect([await isAlive(desk, ended), await isAlive(cli, other)]).toEqual([false, true]);
    expect([await isRefused(ended), await isRefused(other)]).toEqual([true, false]);
    expect((await directory.list()).items.map(({ clientId }) => clientId)).toEqual([cli.id]);
    expect(told).toMatchObject([{ target: { kind: 'grant', id }, by: CLI, grants: 1, clientId: desk.id }]);
    expect(await isAlive(desk, await approved(desk, 'alice', ended.browser))).toBe(true);
    expect(await isAlive(desk, ended)).toBe(false);
  });

  it('the end of a grant that has ended before is not reported a second time', async () => {
    const client = await register(server);
    await approved(client);
    const target = { kind: 'grant', id: (await entryOf(client))?.id ?? '' } as const;
    await end(target);
    expect(await end(target)).toEqual({ grants: 0 });
    expect(told).toHaveLength(1);
  });

  it('the end of a client ends what all people approved for it', async () => {
    const [desk, cli] = [await register(server), await register(server)];
    const [alice, bob, other] = [await approved(desk), await approved(desk, 'bob'), await approved(cli)];
    expect(await end({ kind: 'client', id: desk.id })).toEqual({ grants: 2 });
    expect([await isAlive(desk, alice), await isAlive(desk, bob), await isAlive(cli, other)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([await isRefused(alice), await isRefused(bob), await isRefused(other)]).toEqual([true, true, false]);
    expect(told).toMatchObject([{ target: { kind: 'client', id: desk.id }, grants: 2 }]);
  });

  it('the end of a person ends everything that the person approved, and their browser sessions', async () => {
    const [desk, cli] = [await register(server), await register(server)];
    const [first, second, bob] = [await approved(desk), await approved(cli), await approved(cli, 'bob')];
    const accountId = (await entryOf(desk))?.accountId ?? '';
    expect(await end({ kind: 'person', accountId })).toEqual({ grants: 2 });
    expect([await isAlive(desk, first), await isAlive(cli, second), await isAlive(cli, bob)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([await isRefused(first), await isRefused(second), await isRefused(bob)]).toEqual([true, true, false]);
    expect(await asksAgain(desk, first)).toBe(true);
    clock.advance(5);
    expect(await isAlive(desk, await approved(desk))).toBe(true);
    expect(told).toMatchObject([{ target: { kind: 'person', accountId }, grants: 2, accountId }]);
  });

  it('an ending of everything before a moment leaves what was approved at the moment or after it', async () => {
    const client = await register(server);
    const early = await approved(client);
    clock.advance(100);
    const before = now();
    const late = await approved(client, 'bob');
    clock.advance(100);
    expect(await end({ kind: 'everything', before })).toEqual({ grants: 1 });
    expect([await isAlive(client, early), await isAlive(client, late)]).toEqual([false, true]);
    expect([await isRefused(early), await isRefused(late)]).toEqual([true, false]);
    expect(told).toMatchObject([{ target: { kind: 'everything', before }, grants: 1 }]);
    expect([await asksAgain(client, early), await asksAgain(client, late)]).toEqual([true, false]);
  });

  it('an ending of everything ends a grant that began before the moment and was approved again after it', async () => {
    const client = await register(server);
    const stolen = await approved(client);
    clock.advance(100);
    const before = now();
    const { page } = await stolen.browser.follow(authorizePath(client, { scope: 'mcp:admin', prompt: 'consent' }));
    await stolen.browser.submit(page, 'approve');
    await end({ kind: 'everything', before });
    expect(await isAlive(client, stolen)).toBe(false);
  });

  it.each(['client', 'everything'] as const)(
    'RFC 6749 §4.4 an ending ends the tokens of a machine client, which gets new ones: %s',
    async (kind) => {
      const machine = { client_id: 'nightly-job', client_secret: 'a-secret-of-the-job', grant_types: MACHINE };
      const env = { NODE_ENV: 'test', CLIENTS: JSON.stringify([machine]) };
      server = await startServer({ store, directory, statusStore, clock, env });
      const token = async () => {
        const secret = { client_id: machine.client_id, client_secret: machine.client_secret };
        const asked = form({ ...secret, grant_type: 'client_credentials', scope: 'mcp:tools' });
        return { access: String((await read(await server.fetch('/token', asked))).access_token) };
      };
      const early = await token();
      const target = kind === 'client' ? { kind, id: machine.client_id } : { kind, before: now() };
      await withStore(env, ({ config, ...opened }) =>
        composeEndings(config, { ...opened, onEnded: () => {} }).end(target, CLI),
      );
      expect([await isRefused(early), await isRefused(await token())]).toEqual([true, false]);
    },
  );

  it('an ending of everything before a moment in the future is refused, and changes nothing', async () => {
    const client = await register(server);
    const early = await approved(client);
    await expect(end({ kind: 'everything', before: now() + 60 })).rejects.toMatchObject({ status: 400 });
    expect(await isAlive(client, early)).toBe(true);
  });
});

describe('an ending that the server starts', () => {
  const endings = () => server.log.filter(({ msg }) => msg === 'access ended');

  it('RFC 7009 §2.1 a revocation by the client ends the grant, which is logged once', async () => {
    const client = await register(server);
    const { token } = await approved(client);
    for (let n = 0; n < 2; n += 1) await server.fetch('/revoke', form({ token, client_id: client.id }));
    expect(endings()).toMatchObject([{ target: { kind: 'grant' }, by: 'client', actor: client.id, grants: 1 }]);
    expect((await directory.list()).items).toEqual([]);
  });

  it('RFC 9700 §4.14.2 the reuse of a refresh token ends the grant', async () => {
    const client = await register(server);
    const { token } = await approved(client);
    await refresh(server, client, token);
    clock.advance(600);
    await refresh(server, client, token);
    expect(endings()).toMatchObject([{ target: { kind: 'grant' }, by: 'refresh alarm', grants: 1, client: client.id }]);
    expect((await directory.list()).items).toEqual([]);
  });

  it('RFC 7592 §2.3 the removal of a registration ends what people approved for the client', async () => {
    const managed = await startServer({ store, directory, clock, env: { REGISTRATION_MANAGEMENT: 'true' } });
    const body = await registration(managed);
    server = managed;
    await approved({ id: String(body.client_id), redirectUri: WEB });
    const authorization = `Bearer ${body.registration_access_token}`;
    const uri = String(body.registration_client_uri);
    expect((await managed.fetch(uri, { method: 'DELETE', headers: { authorization } })).status).toBe(204);
    expect(endings()).toMatchObject([{ target: { kind: 'client', id: body.client_id }, by: 'client', grants: 1 }]);
  });
});

const registration = async (managed: RunningServer) =>
  read(await managed.fetch('/register', json({ redirect_uris: [WEB], token_endpoint_auth_method: 'none' })));
