/** Proves that an operator sees, finds and ends people who have personal tokens, also those who have approved no client. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { beforeEach, describe, expect, it } from 'vitest';
import { peopleCommands } from '../../../src/cli/people/people.ts';
import { createOwners } from '../../../src/personal-tokens/owners.ts';
import { createTokenRecords } from '../../../src/personal-tokens/token-records.ts';
import type { GrantDirectory } from '../../../src/revocation/grant-directory.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { commandsOn } from '../../support/command-store.ts';
import { alice, asked, NOTES, openTokens } from '../../support/personal-tokens.ts';

let clock: FakeClock;
let store: RecordStore;
let directory: GrantDirectory;
let opened: Awaited<ReturnType<typeof openTokens>>;

beforeEach(async () => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  directory = createSqliteDirectory(':memory:', clock);
  opened = await openTokens(store, clock);
  const { account, accounts } = opened;
  await accounts.save({ ...account, identity: { ...account.identity, email: 'alice@example.com' } });
});

const people = (line: string) => run(peopleCommands(commandsOn({ store, directory, clock })), line, {});
const now = () => Math.floor(clock.now() / 1000);
const approve = (id: string, accountId: string) =>
  directory.put({
    ...{ id, accountId, clientId: 'desk', resources: [NOTES], scopes: ['notes:read'], via: 'browser' },
    ...{ createdAt: now(), lastUsedAt: now(), expiresAt: now() + 1_000 },
  });

describe('people with personal tokens', () => {
  it('people list has a person who has personal tokens and no approval, and no service', async () => {
    expect((await people('list')).stdout).toBe('Nobody has an approval or a personal token.\n');
    await opened.tokens().addForPerson(alice, asked());
    await opened.tokens().addForPerson(alice, asked());
    await opened.tokens().addForService('nightly', asked());
    await approve('g1', 'bob');
    const { stdout } = await people('list --json');
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ subject: 'bob', approvals: 1, tokens: 0, lastUsed: '2026-01-01T00:00:00Z' }),
      {
        subject: alice,
        name: 'Alice',
        email: 'alice@example.com',
        connector: 'acme',
        approvals: 0,
        tokens: 2,
        lastUsed: null,
      },
    ]);
    clock.advance(31 * 86_400);
    expect(JSON.parse((await people('list --json')).stdout)).toEqual([]);
  });

  it('people list goes on from people with approvals to those with tokens, a hundred at a time, each person once', async () => {
    const own = async (subject: string) => {
      await createOwners(store, clock).add(subject, now() + 600);
      const { record } = await opened.tokens().addForService('sample', asked());
      await createTokenRecords(store, clock).change(subject, () => [record]);
      await opened.tokens().end({ kind: 'service', name: 'sample' }, record.id);
    };
    for (let n = 0; n < 30; n += 1) await approve(`g${n}`, `approver-${n}`);
    for (let n = 0; n < 130; n += 1) await own(`owner-${n}`);
    await own('approver-0');
    const pages: string[][] = [];
    let place = '';
    for (let page = 0; page < 4; page += 1) {
      const { stdout, stderr } = await people(`list --json ${place}`);
      pages.push(JSON.parse(stdout).map(({ subject }: { subject: string }) => subject));
      [, place = ''] = /^More follow: (--after \S+)\n$/.exec(stderr) ?? [];
      if (place === '') break;
    }
    expect(pages.map(({ length }) => length)).toEqual([100, 60]);
    expect(new Set(pages.flat()).size).toBe(160);
    expect(pages[0]?.slice(0, 30).every((subject) => subject.startsWith('approver-'))).toBe(true);
  });

  it.each([alice, 'alice@example.com', 'Alice@Example.com'])(
    'people show and end find the owner of a token by %s',
    async (who) => {
      const { record } = await opened.tokens().addForPerson(alice, asked());
      const { status, stdout } = await people(`show --json -- ${who}`);
      expect([status, JSON.parse(stdout)]).toEqual([
        0,
        {
          subject: alice,
          name: 'Alice',
          email: 'alice@example.com',
          connector: 'acme',
          approvals: [],
          tokens: [
            {
              id: record.id,
              name: 'laptop',
              resource: NOTES,
              scopes: 'notes:read',
              created: '2026-01-01T00:00:00Z',
              expires: '2026-01-31T00:00:00Z',
            },
          ],
        },
      ]);
      expect((await people(`show ${who}`)).stdout).toMatch(/This person has no approvals\.\n\nID +NAME +RESOURCE/);
      expect(await people(`end ${who}`)).toMatchObject({
        status: 0,
        stdout: `Ended 0 approvals of ${alice}, every personal token and every browser session.\n`,
      });
      expect(await createTokenRecords(store, clock).of(alice)).toEqual([]);
    },
  );

  it('a service is no person', async () => {
    await opened.tokens().addForService('nightly', asked());
    expect(await people('end service:nightly')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no person'),
    });
    expect(await createTokenRecords(store, clock).of('service:nightly')).toHaveLength(1);
  });
});
