/**
 * Proves that what other people have chosen cannot mislead an operator: a place to copy into a shell, and an address that nobody
 * verified.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { namesOfPerson } from '../../../src/cli/listing/grant-rows.ts';
import { showPage } from '../../../src/cli/listing/pages.ts';
import { findPerson } from '../../../src/cli/people/find-person.ts';
import { createAccounts } from '../../../src/federation/account.ts';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { commandsOn } from '../../support/command-store.ts';

function shown(next: string): string {
  let text = '';
  const output = {
    write: (part: string) => {
      text += part;
    },
  };
  showPage({ parameters: {}, rest: [], options: {}, env: {}, stdout: output, stderr: output }, { items: [], next }, '');
  return text.slice(text.indexOf('--after '));
}

describe('a list of a command', () => {
  it('CWE-78 the place of the next page is one word for a shell, whatever a client has chosen as its id', () => {
    expect(shown('1803028217.5123')).toBe('--after 1803028217.5123\n');
    expect(shown("1803028217:https://evil.example/a?;id;$(id)'x")).toBe(
      "--after '1803028217:https://evil.example/a?;id;$(id)'\\''x'\n",
    );
  });

  it('an address that the provider does not vouch for says so, and names nobody', async () => {
    const clock = new FakeClock();
    const store = createSqliteStore(':memory:', clock);
    const directory = createSqliteDirectory(':memory:', clock);
    const identity = { issuer: 'https://acme.example', subject: 'mallory', unverifiedEmail: 'boss@acme.example' };
    const accounts = createAccounts(store, 86_400);
    await accounts.save({ accountId: 'mallory', connector: 'acme', identity });
    const now = Math.floor(clock.now() / 1000);
    const times = { createdAt: now, lastUsedAt: now, expiresAt: now + 86_400 };
    const grant = { accountId: 'mallory', clientId: 'desk', resources: [], scopes: [], via: 'browser' as const };
    await directory.put({ id: 'one', ...grant, ...times });
    expect((await namesOfPerson('mallory', accounts)).email).toBe('boss@acme.example (unverified)');
    const find = (who: string) =>
      commandsOn({ store, directory, clock })({ NODE_ENV: 'test' }, (opened) => findPerson(who, opened));
    await expect(find('boss@acme.example')).rejects.toThrow('nobody with an approval');
    expect(await find('mallory')).toBe('mallory');
  });
});
