/** Proves that an operator sees who approved what, with names, and ends it by a command while the server runs. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientsCommands } from '../../../src/cli/clients/clients.ts';
import { grantsCommands } from '../../../src/cli/grants/grants.ts';
import { peopleCommands } from '../../../src/cli/people/people.ts';
import type { WithStore } from '../../../src/cli/store.ts';
import type { Account } from '../../../src/federation/account.ts';
import type { GrantDirectory } from '../../../src/revocation/grant-directory.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { authorize, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { commandsOn } from '../../support/command-store.ts';
import { MCP, type RunningServer, read, startServer } from '../../support/running-server.ts';

const ENV = { NODE_ENV: 'test' };

let clock: FakeClock;
let store: RecordStore;
let directory: GrantDirectory;
let server: RunningServer;
let withStore: WithStore;
let desk: TestClient;

beforeEach(async () => {
  clock = new FakeClock(Date.parse('2026-11-30T12:00:00Z'));
  store = createSqliteStore(':memory:', clock);
  directory = createSqliteDirectory(':memory:', clock);
  server = await startServer({ store, directory, clock });
  withStore = commandsOn({ store, directory, clock });
  desk = await register(server, undefined, { client_name: 'Desk' });
  return () => server[Symbol.asyncDispose]();
});

const people = (line: string) => run(peopleCommands(withStore), line, ENV);
const grants = (line: string) => run(grantsCommands(withStore), line, ENV);
const clients = (line: string) => run(clientsCommands(withStore), line, ENV);
const rowsOf = async (ran: Promise<{ stdout: string }>) => JSON.parse((await ran).stdout) as Record<string, unknown>[];

/** Approves, and gives the person a name and an address. */
async function approved(person: string, client = desk): Promise<string> {
  const { code } = await authorize(server, client, { scope: 'mcp:tools' }, { person });
  const { refresh_token: token, access_token: access } = await read(await redeem(server, client, code));
  const { value } = (await store.get('Account', String(decodeJwt(String(access)).sub))) ?? {};
  const account = value as unknown as Account;
  const identity = { ...account.identity, name: `The ${person}\u001b[31m`, email: `${person}@example.com` };
  await store.put('Account', account.accountId, { ...account, identity }, { ttl: 1_000 });
  return String(token);
}

const isAlive = async (token: string, client = desk) => (await refresh(server, client, token)).status === 200;

describe('people', () => {
  it('people list shows people with their names, addresses and approvals', async () => {
    await approved('alice');
    await approved('alice', await register(server));
    clock.advance(60);
    await approved('bob');
    const rows = await rowsOf(people('list --json'));
    expect(rows.sort((one, other) => String(one.email).localeCompare(String(other.email)))).toEqual([
      expect.objectContaining({ email: 'alice@example.com', approvals: 2, lastUsed: '2026-11-30T12:00:00Z' }),
      {
        subject: expect.any(String),
        name: expect.stringContaining('The bob'),
        email: 'bob@example.com',
        connector: 'acme',
        approvals: 1,
        tokens: 0,
        lastUsed: '2026-11-30T12:01:00Z',
      },
    ]);
    expect((await people('list')).stdout).toMatch(/^SUBJECT +NAME +EMAIL +CONNECTOR +APPROVALS +TOKENS +LAST USED\n/);
  });

  it('people show takes a subject or an address, and shows what the person approved', async () => {
    await approved('alice');
    const [{ subject } = {}] = await rowsOf(people('list --json'));
    for (const who of [String(subject), 'alice@example.com', 'Alice@Example.com']) {
      const { status, stdout } = await people(`show --json -- ${who}`);
      expect([status, JSON.parse(stdout)]).toEqual([
        0,
        {
          subject,
          name: expect.stringContaining('The alice'),
          email: 'alice@example.com',
          connector: 'acme',
          approvals: [
            {
              id: expect.any(String),
              client: desk.id,
              resource: MCP,
              scopes: 'mcp:tools',
              organisation: null,
              via: 'browser',
              since: '2026-11-30T12:00:00Z',
              lastUsed: '2026-11-30T12:00:00Z',
            },
          ],
          tokens: [],
        },
      ]);
    }
  });

  it('people end ends what a person approved, and nothing of anybody else', async () => {
    const [alice, bob] = [await approved('alice'), await approved('bob')];
    const { status, stdout } = await people('end alice@example.com');
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^Ended 1 approval of \S+, every personal token and every browser session\.\n$/),
    ]);
    expect([await isAlive(alice), await isAlive(bob)]).toEqual([false, true]);
    expect(await rowsOf(people('list --json'))).toMatchObject([{ name: expect.stringContaining('The bob') }]);
  });

  it.each(['show', 'end'])(
    '%s of somebody who is unknown, or whom an address does not name alone, changes nothing',
    async (name) => {
      const token = await approved('alice');
      await approved('bob');
      for (const { subject } of await rowsOf(people('list --json'))) {
        const account = (await store.get('Account', String(subject)))?.value as unknown as Account;
        const identity = { ...account.identity, email: 'both@example.com' };
        await store.put('Account', account.accountId, { ...account, identity }, { ttl: 1_000 });
      }
      expect(await people(`${name} nobody`)).toMatchObject({ status: 1, stderr: expect.stringContaining('no person') });
      expect(await people(`${name} a@b.example`)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('nobody'),
      });
      expect(await people(`${name} both@example.com`)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('several'),
      });
      expect(await isAlive(token)).toBe(true);
    },
  );
});

describe('people with an address that is not verified', () => {
  /** Mallory signs in where nobody verifies addresses, and says that she is Alice. */
  async function posing(): Promise<string> {
    const token = await approved('mallory');
    const [{ subject } = {}] = (await rowsOf(people('list --json'))).filter(
      ({ email }) => email === 'mallory@example.com',
    );
    const account = (await store.get('Account', String(subject)))?.value as unknown as Account;
    const { email, verifiedEmails, ...identity } = account.identity;
    const posed = { ...account, identity: { ...identity, unverifiedEmail: 'alice@example.com' } };
    await store.put('Account', account.accountId, posed, { ttl: 1_000 });
    return token;
  }

  it('people list says that the address is not verified', async () => {
    await posing();
    expect(await rowsOf(people('list --json'))).toMatchObject([{ email: 'alice@example.com (unverified)' }]);
    expect(await rowsOf(grants('list --json'))).toMatchObject([{ email: 'alice@example.com (unverified)' }]);
  });

  it('CWE-290 people end with the address of somebody else never ends who only claims it', async () => {
    const [mallory, alice] = [await posing(), await approved('alice')];
    expect((await people('end alice@example.com')).status).toBe(0);
    expect([await isAlive(alice), await isAlive(mallory)]).toEqual([false, true]);
    // Now nobody has an approval and this address, but Mallory claims to.
    expect(await people('end alice@example.com')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('the address "alice@example.com"'),
    });
    expect(await people('show alice@example.com')).toMatchObject({ status: 1, stdout: '' });
    expect(await rowsOf(people('list --json'))).toMatchObject([{ email: 'alice@example.com (unverified)' }]);
  });
});

describe('grants', () => {
  it('grants list shows approvals of everybody, a person or a client', async () => {
    const other = await register(server);
    await approved('alice');
    await approved('alice', other);
    await approved('bob');
    const count = async (line: string) => (await rowsOf(grants(`list --json ${line}`))).length;
    expect(await count('')).toBe(3);
    expect(await count('--person alice@example.com')).toBe(2);
    expect(await count(`--client ${other.id}`)).toBe(1);
    expect((await grants('list')).stdout).toMatch(/^ID +SUBJECT +NAME +EMAIL +CLIENT +RESOURCE +SCOPES/);
    expect((await grants('list --person a --client b')).status).toBe(2);
  });

  it('grants list shows a hundred approvals at once, and names the place of the next ones', async () => {
    const entry = { accountId: 'ada', clientId: 'desk', resources: [], scopes: [], via: 'browser' } as const;
    const times = { createdAt: 1, lastUsedAt: 1, expiresAt: 9_999_999_999 };
    for (let n = 0; n < 130; n += 1) await directory.put({ id: `grant-${n}`, ...entry, ...times });
    const first = await grants('list --json');
    const after = /^More follow: (--after \S+)\n$/.exec(first.stderr)?.[1];
    const second = await grants(`list --json ${after}`);
    expect(second.stderr).toBe('');
    const ids = [first, second].flatMap(({ stdout }) => JSON.parse(stdout).map(({ id }: { id: string }) => id));
    expect(new Set(ids).size).toBe(130);
    expect(ids).toHaveLength(130);
    expect(await grants('list --after nonsense')).toMatchObject({ status: 1, stdout: '' });
  });

  it('grants end takes ids, and says which of them there are not', async () => {
    const [alice, bob] = [await approved('alice'), await approved('bob')];
    const [{ id } = {}] = await rowsOf(grants('list --json --person alice@example.com'));
    expect(await grants(`end -- ${id} nothing`)).toEqual({
      status: 1,
      stdout: 'Ended 1 approval.\n',
      stderr: 'There is no approval "nothing".\n',
    });
    expect([await isAlive(alice), await isAlive(bob)]).toEqual([false, true]);
  });

  it.each([
    ['--client', () => `--client ${desk.id}`],
    ['--before', () => '--before now'],
  ])('grants end ends many approvals only with --yes: %s', async (_, option) => {
    const [alice, bob] = [await approved('alice'), await approved('bob')];
    const asked = await grants(`end ${option()}`);
    expect([asked.status, asked.stdout]).toEqual([1, expect.stringMatching(/^This would end .+ --yes\.\n$/)]);
    expect([await isAlive(alice), await isAlive(bob)]).toEqual([true, true]);
    const done = await grants(`end ${option()} --yes`);
    expect([done.status, done.stdout]).toEqual([0, expect.stringMatching(/: 2 approvals\.\n$/)]);
    expect([await isAlive(alice), await isAlive(bob)]).toEqual([false, false]);
  });

  it('grants end --before ends what began before a moment, and leaves what was approved since', async () => {
    const alice = await approved('alice');
    clock.advance(120);
    const bob = await approved('bob');
    const { stdout } = await grants('end --before 2026-11-30T13:01:00+01:00 --yes');
    expect(stdout).toBe('Ended everything that began before 2026-11-30T12:01:00Z: 1 approval.\n');
    expect([await isAlive(alice), await isAlive(bob)]).toEqual([false, true]);
  });

  it.each([
    '',
    'an-id --client c',
    '--client c --before now',
    '--before yesterday',
    '--before 2026-11-30T12:00:00',
    '--before 2026-11-30T12:00:01Z',
    '--before 2026-13-45',
  ])('a command line that means nothing or too much ends nothing: end %s', async (line) => {
    const alice = await approved('alice');
    expect(await grants(`end ${line} --yes`)).toMatchObject({ status: 2, stdout: '' });
    expect(await isAlive(alice)).toBe(true);
  });
});

describe('clients', () => {
  it('clients list shows a client that registered itself from its first approval on', async () => {
    expect(await rowsOf(clients('list --json'))).toEqual([]);
    await approved('alice');
    await approved('bob');
    expect(await rowsOf(clients('list --json'))).toEqual([
      {
        clientId: desk.id,
        name: 'Desk',
        authentication: 'none',
        grants: 'authorization_code refresh_token',
        scope: null,
        added: expect.stringMatching(/^registered /),
        approvals: 2,
        lastUsed: '2026-11-30T12:00:00Z',
      },
    ]);
  });

  it('CWE-150 no command writes characters of a name that control a terminal', async () => {
    await approved('alice');
    const shown = [await people('list'), await people('show alice@example.com'), await grants('list')];
    for (const { stdout } of [...shown, await clients(`show ${desk.id}`)]) {
      expect(stdout).toContain('The alice?[31m');
      expect(stdout).not.toContain('\u001b');
    }
    expect((await people('list --json')).stdout).toContain('The alice\\u001b[31m');
  });

  it('clients show says by how many people a client was approved, and when it was last used', async () => {
    await approved('alice');
    const token = await approved('bob');
    await approved('bob');
    clock.advance(600);
    await refresh(server, desk, token);
    const { stdout } = await clients(`show --json ${desk.id}`);
    expect(JSON.parse(stdout)).toMatchObject({
      id: desk.id,
      people: 2,
      approvals: 3,
      lastUsed: '2026-11-30T12:10:00Z',
      approvedBy: expect.arrayContaining([
        expect.objectContaining({ name: expect.stringContaining('The alice'), email: 'alice@example.com' }),
      ]),
    });
    expect(await clients('show nothing')).toMatchObject({ status: 1, stderr: expect.stringContaining('no client') });
  });

  it('RFC 6749 §5.2 a client that is removed loses its approvals at once', async () => {
    const alice = await approved('alice');
    expect((await clients(`remove ${desk.id}`)).stdout).toContain(`Removed ${desk.id}, with 1 approval.`);
    expect((await directory.list()).items).toEqual([]);
    clock.advance(10);
    expect(await isAlive(alice)).toBe(false);
  });
});
