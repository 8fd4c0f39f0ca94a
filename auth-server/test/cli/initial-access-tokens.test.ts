/**
 * Proves that an operator can create, list and revoke initial access tokens (RFC 7591 §3), and that each is shown once.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialAccessTokensCommands } from '../../src/cli/initial-access-tokens.ts';
import type { WithStore } from '../../src/cli/store.ts';
import { createInitialAccessTokens } from '../../src/registration/initial-access-tokens.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';

describe('initial-access-tokens', () => {
  let clock: FakeClock;
  let store: RecordStore;
  beforeEach(() => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
  });
  const withStore: WithStore = (env, work) => commandsOn({ store, clock })(env, work);
  const tokens = (line: string, env = {}) => run(initialAccessTokensCommands(withStore), line, env);
  const listed = async () => JSON.parse((await tokens('list --json')).stdout) as Record<string, unknown>[];

  it('initial-access-tokens add writes only the token to standard output, and its id and expiry to standard error', async () => {
    const { status, stdout, stderr } = await tokens('add farm', { REGISTRATION: 'token' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^[\w-]{43}\n$/);
    expect(stderr).toMatch(/^This is token [0-9a-f]{12}, valid until 2026-01-08T00:00:00Z. It is not shown again.\n$/);
    const found = await createInitialAccessTokens(store, clock).find(stdout.trim());
    expect(stderr).toContain(String(found?.id));
  });

  it('initial-access-tokens add says so when registration needs no token', async () => {
    expect((await tokens('add farm')).stderr).toContain('REGISTRATION is open here');
  });

  it('initial-access-tokens list shows the remaining uses, as a table and as JSON, and no token', async () => {
    expect((await tokens('list')).stdout).toBe('There are no initial access tokens.\n');
    const { stdout: token } = await tokens('add farm --expires 30d --uses 2');
    await tokens('add partner');
    const { stdout } = await tokens('list');
    expect(stdout).toMatch(/^ID +CREATED +GOOD UNTIL +USES LEFT +PURPOSE\n/);
    expect(stdout).toMatch(/\n[0-9a-f]{12} +2026-01-01T00:00:00Z +2026-01-31T00:00:00Z +2 +farm\n/);
    expect(stdout).toMatch(/\n[0-9a-f]{12} +2026-01-01T00:00:00Z +2026-01-08T00:00:00Z +- +partner\n/);
    expect(stdout).not.toContain(token.trim());
    expect(await listed()).toMatchObject([
      { purpose: 'farm', usesLeft: 2, goodUntil: '2026-01-31T00:00:00Z' },
      { purpose: 'partner', usesLeft: null },
    ]);
  });

  it('initial-access-tokens list escapes control characters in a purpose', async () => {
    await tokens('add a\u001b[2Jb');
    expect((await tokens('list')).stdout).toContain('a?[2Jb');
  });

  it('initial-access-tokens remove removes one token, and says when there is none', async () => {
    await tokens('add farm');
    const [entry] = await listed();
    expect(await tokens(`remove ${entry?.id}`)).toMatchObject({ status: 0, stdout: `Removed ${entry?.id}.\n` });
    expect(await listed()).toEqual([]);
    expect(await tokens('remove nothing')).toMatchObject({ status: 1, stderr: 'There is no token "nothing".\n' });
  });

  it.each([
    ['add', '<purpose> is missing'],
    ['add farm --expires soon', '--expires: expected a duration'],
    ['add farm --expires 0s', '--expires: expected a duration'],
    ['add farm --uses 0', '--uses: expected a whole number from 1'],
    ['add farm --uses -1', '--uses'],
    ['add farm --uses many', '--uses: expected a whole number'],
    [`add ${'x'.repeat(121)}`, '<purpose> is longer than 120 characters'],
    ['remove', '<id> is missing'],
  ])('the command line %s is refused, and changes nothing', async (line, message) => {
    const { status, stderr } = await tokens(line);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await listed()).toEqual([]);
  });
});
