/** Proves that an operator makes tokens of services, sees each once, and lists and ends those of services and people. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokensCommands } from '../../src/cli/tokens/command.ts';
import { composeEndings } from '../../src/compose/revocation/endings.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';
import { isMarkedInStore, referenceOf } from '../support/token-status.ts';

const RESOURCE = { url: 'https://a.example', scopes: { read: 'Read', write: 'Write' } };

describe('tokens', () => {
  let clock: FakeClock;
  let store: RecordStore;
  let statusStore: StatusStore;
  let folder: string;
  beforeEach(() => {
    clock = new FakeClock();
    store = createSqliteStore(':memory:', clock);
    statusStore = createSqliteStatusStore(':memory:', clock);
    folder = mkdtempSync(join(tmpdir(), 'tokens-'));
  });
  afterEach(async () => {
    await store.close();
    await statusStore.close();
    rmSync(folder, { recursive: true });
  });

  const ENV = { PERSONAL_TOKENS: 'services', RESOURCES: JSON.stringify([RESOURCE]) };
  const tokens = (line: string, env: Record<string, string> = {}) =>
    run(tokensCommands(commandsOn({ store, statusStore, clock })), line, { ...ENV, ...env });
  const now = () => Math.floor(clock.now() / 1000);
  const endings = () =>
    commandsOn({ store, statusStore, clock })(ENV, async (opened) =>
      composeEndings(opened.config, { ...opened, onEnded: () => {} }),
    );
  const listed = async () => JSON.parse((await tokens('list --json')).stdout) as Record<string, string>[];
  const refused = async (line: string, env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = await tokens(line, env);
    expect([status, stdout]).toEqual([expect.any(Number), '']);
    expect(status).not.toBe(0);
    expect(await listed()).toEqual([]);
    return stderr;
  };

  it('tokens add prints the token once, and its facts beside it', async () => {
    const { status, stdout, stderr } = await tokens('add nightly --scopes read,write --expires 7d --name report');
    const { jti, exp = 0, iat = 0, scope, aud } = decodeJwt(stdout.trim());
    expect([status, scope, aud, exp - iat]).toEqual([0, 'read write', 'https://a.example/mcp', 7 * 86_400]);
    expect(stderr).toBe(
      `This is token ${jti} of service:nightly, valid until 2026-01-08T00:00:00Z. It is not shown again.\n`,
    );
    expect(await listed()).toEqual([
      {
        id: jti,
        owner: 'service:nightly',
        name: 'report',
        resource: 'https://a.example/mcp',
        scopes: 'read write',
        created: '2026-01-01T00:00:00Z',
        expires: '2026-01-08T00:00:00Z',
      },
    ]);
  });

  it('tokens add --json prints the token with its facts', async () => {
    const { stdout } = await tokens('add nightly --scopes read --json');
    const { token, ...facts } = JSON.parse(stdout);
    expect(await listed()).toEqual([facts]);
    expect(decodeJwt(token).jti).toBe(facts.id);
  });

  it('tokens add --output writes a new file that only its owner reads, and prints no token', async () => {
    const file = join(folder, 'token');
    const { stdout } = await tokens(`add nightly --scopes read --output ${file}`);
    expect(stdout).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(decodeJwt(readFileSync(file, 'utf8').trim()).sub).toBe('service:nightly');
  });

  it('tokens add --output overwrites nothing, and leaves no file where no token was made', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'kept');
    expect(await refused(`add nightly --scopes read --output ${file}`)).toContain('exists already');
    expect(readFileSync(file, 'utf8')).toBe('kept');
    expect(await refused(`add nightly --scopes other --output ${join(folder, 'none')}`)).toContain('"other"');
    expect(existsSync(join(folder, 'none'))).toBe(false);
    expect(await refused(`add nightly --scopes read --output ${join(folder, 'a', 'b')}`)).toContain('ENOENT');
  });

  it('tokens add refuses what would not work, and says why', async () => {
    expect(await refused('add nightly')).toContain('name at least one scope');
    expect(await refused('add nightly --scopes read,admin')).toContain('no scope "admin"; possible: read write');
    expect(await refused('add Nightly --scopes read')).toContain('1 to 40 of the characters');
    expect(await refused('add nightly --scopes read --expires 91d')).toContain('PERSONAL_TOKEN_LIFETIME');
    expect(await refused('add nightly --scopes read --expires soon')).toContain('--expires: expected a duration');
    expect(await refused('add nightly --scopes read --resource https://b.example/mcp')).toContain('is not known');
    expect(await refused('add nightly --scopes read', { PERSONAL_TOKENS: 'off' })).toContain('PERSONAL_TOKENS is off');
    const two = JSON.stringify([RESOURCE, { ...RESOURCE, url: 'https://b.example' }]);
    expect(await refused('add nightly --scopes read', { RESOURCES: two })).toContain('https://b.example/mcp');
  });

  it('tokens add takes 30 days, or a shorter PERSONAL_TOKEN_LIFETIME, if no lifetime is named', async () => {
    await tokens('add one --scopes read');
    await tokens('add two --scopes read', { PERSONAL_TOKEN_LIFETIME: '2d' });
    expect((await listed()).map(({ expires }) => expires).toSorted()).toEqual([
      '2026-01-03T00:00:00Z',
      '2026-01-31T00:00:00Z',
    ]);
  });

  it('tokens end marks the token in its status list, once', async () => {
    const { stdout } = await tokens('add nightly --scopes read');
    await tokens('add other --scopes read');
    const { jti } = decodeJwt(stdout.trim());
    const marked = () => isMarkedInStore(statusStore, referenceOf(stdout.trim()));
    expect(await marked()).toBe(false);
    expect(await tokens(`end ${jti}`)).toMatchObject({ status: 0, stdout: `Ended ${jti} of service:nightly.\n` });
    expect(await marked()).toBe(true);
    expect(await tokens(`end ${jti}`)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `There is no token "${jti}".\n`,
    });
    expect((await listed()).map(({ owner }) => owner)).toEqual(['service:other']);
  });

  it('a name with characters that control a terminal cannot be given', async () => {
    expect(await refused('add nightly --scopes read --name \u001b[31mred')).toContain('the name must be text');
  });

  it('an ending of everything before a moment ends the tokens made before, and one of a key finds the personal ring', async () => {
    const { stdout } = await tokens('add nightly --scopes read');
    const ending = await endings();
    await ending.end({ kind: 'everything', before: now() }, { origin: 'cli' });
    expect(await listed()).toHaveLength(1);
    clock.advance(10);
    await ending.end({ kind: 'everything', before: now() }, { origin: 'cli' });
    expect(await listed()).toEqual([]);
    const kid = decodeProtectedHeader(stdout.trim()).kid ?? '';
    await ending.end({ kind: 'key', kid }, { origin: 'cli' });
    const left = (await createKeyStore(store, 'personal').load())?.ring.map(({ key }) => key.kid);
    expect([left?.length, left?.includes(kid)]).toEqual([1, false]);
  });
});
