/**
 * Proves that an operator can list, rotate, retire and import keys, and that no mistake leaves a server without a key.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keysCommands } from '../../src/cli/keys.ts';
import type { WithStore } from '../../src/cli/store.ts';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { activeEntry, publishedKeys } from '../../src/keys/keyring.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { commandsOn } from '../support/command-store.ts';

const MINUTE = 60;

describe('keys', () => {
  let clock: FakeClock;
  let plain: RecordStore;
  let store: RecordStore;
  let folder: string;
  beforeEach(() => {
    clock = new FakeClock();
    plain = createSqliteStore(':memory:', clock);
    store = createSealedStore(plain, [randomBytes(32)]);
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
  });
  afterEach(async () => {
    await plain.close();
    rmSync(folder, { recursive: true });
  });

  const withStore: WithStore = (env, work) => commandsOn({ store, clock })(env, work);
  const keys = (line: string, env = {}) => run(keysCommands(withStore), line, env);
  const listed = async () => JSON.parse((await keys('list --json')).stdout) as Record<string, string>[];
  const now = () => Math.floor(clock.now() / 1000);
  const published = async () => {
    const stored = await createKeyStore(store).load();
    return stored ? publishedKeys(stored.ring, now()).map(({ kid }) => kid) : [];
  };
  const fileWith = (text: string | Buffer): string => {
    const file = join(folder, 'key');
    writeFileSync(file, text);
    return file;
  };
  const pem = (type: 'ec' | 'ed25519') =>
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
      : generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });

  it('keys list shows each key with its state, as a table and as JSON, and nothing private', async () => {
    expect((await keys('list')).stdout).toMatch(/^There are no keys yet/);
    expect(await listed()).toEqual([]);
    await keys('rotate');
    const { status, stdout } = await keys('list');
    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^KID +ALGORITHM +STATE +CREATED +SIGNS FROM +PUBLISHED UNTIL$/);
    expect(stdout).toMatch(/\n[\w-]{43} +ES256 +pending +2026-01-01T00:00:00Z +2026-01-01T00:15:00Z +-\n/);
    expect(stdout).toMatch(
      /\n[\w-]{43} +ES256 +active +2026-01-01T00:00:00Z +2026-01-01T00:00:00Z +2026-01-01T00:40:00Z\n/,
    );
    const [pending, active] = await listed();
    expect(pending).toMatchObject({ algorithm: 'ES256', state: 'pending', publishedUntil: null });
    expect(active).toMatchObject({ state: 'active', publishedUntil: '2026-01-01T00:40:00Z' });
    const { ring } = (await createKeyStore(store).load()) ?? {};
    const everything = stdout + JSON.stringify(await listed());
    for (const { key } of ring ?? []) expect(everything).not.toContain(String(key.d));
  });

  it('keys rotate publishes a key that signs after the lead time, and no second one meanwhile', async () => {
    const { stdout } = await keys('rotate');
    const [next, old] = (await listed()).map(({ kid }) => kid);
    expect(stdout).toContain(`${next} (ES256) signs from 2026-01-01T00:15:00Z.`);
    expect(await published()).toEqual([old, next]);
    const again = await keys('rotate');
    expect([again.status, again.stdout]).toEqual([1, '']);
    expect(again.stderr).toMatch(new RegExp(`^keys: the key ${next} is already pending`));
    expect(await published()).toEqual([old, next]);
    clock.advance(15 * MINUTE);
    expect(await published()).toEqual([next, old]);
  });

  it('keys rotate --now waits only until the servers know the key, and warns of the effect on tokens', async () => {
    await keys('rotate');
    const [next, old] = (await listed()).map(({ kid }) => kid);
    const { status, stderr } = await keys('rotate --now');
    expect([status, stderr]).toEqual([0, expect.stringContaining('refuse new tokens until they read the keys again')]);
    expect(await published()).toEqual([old, next]);
    clock.advance(61);
    expect(await published()).toEqual([next, old]);
    await keys('rotate --now');
    expect(await published()).toHaveLength(3);
  });

  it('keys retire removes a key at once; the only key gets a successor', async () => {
    await keys('rotate');
    const [next = '', old = ''] = (await listed()).map(({ kid }) => kid);
    expect((await keys(`retire -- ${old}`)).stdout).toContain(`Retired ${old}.\n${next} (ES256) signs.\n`);
    expect(await published()).toEqual([next]);
    expect((await keys(`retire -- ${next}`)).status).toBe(0);
    const [last] = await published();
    expect(last).not.toBe(next);
    expect(await published()).toHaveLength(1);
  });

  it.each(['active', 'retiring', 'pending'])(
    'keys end removes a key that leaked, and another key signs at once: %s',
    async (state) => {
      await keys('list');
      await keys('rotate');
      if (state === 'retiring') clock.advance(20 * MINUTE);
      const [leaked] = (await listed()).filter((key) => key.state === state);
      const active = (await listed()).find((key) => key.state === 'active')?.kid;
      const { status, stdout } = await keys(`end -- ${leaked?.kid}`);
      expect([status, stdout]).toEqual([0, expect.stringContaining(`Ended ${leaked?.kid}.`)]);
      const left = await listed();
      expect(left.map(({ kid }) => kid)).not.toContain(leaked?.kid);
      // Whoever reads a token or a status list of the new key reads the key set again.
      expect(left.find((key) => key.state === 'active')?.kid).not.toBe(active);
    },
  );

  it('keys end of an unknown key changes nothing', async () => {
    await keys('rotate --now');
    const before = await listed();
    expect(await keys('end nothing')).toMatchObject({ status: 1, stderr: 'keys: there is no key "nothing"\n' });
    expect(await listed()).toEqual(before);
  });

  it('keys retire of a pending key leaves the signing key unchanged', async () => {
    await keys('rotate');
    const [next = '', old = ''] = (await listed()).map(({ kid }) => kid);
    await keys(`retire -- ${next}`);
    expect(await listed()).toMatchObject([{ kid: old, state: 'active', publishedUntil: null }]);
    expect((await keys('rotate')).status).toBe(0);
  });

  it('keys retire of an unknown key changes nothing', async () => {
    await keys('rotate');
    const before = await listed();
    expect(await keys('retire nothing')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'keys: there is no key "nothing"\n',
    });
    expect(await listed()).toEqual(before);
  });

  it('keys import publishes a key before it signs, and signs at once where no server has run yet', async () => {
    const file = fileWith(String(pem('ec')));
    expect((await keys(`import ${file}`)).stdout).toMatch(/ \(ES256\) signs\.\n$/);
    const [first] = await published();
    const other = fileWith(String(pem('ec')));
    expect((await keys(`import ${other}`)).status).toBe(0);
    expect(await published()).toEqual([first, expect.any(String)]);
    expect((await keys(`import ${other}`)).stderr).toMatch(/already exists/);
    clock.advance(15 * MINUTE);
    const [active] = await published();
    expect(active).not.toBe(first);
  });

  it.each([
    ['of another algorithm than the setting', () => String(pem('ed25519')), /EdDSA; set SIGNING_ALGORITHM/],
    ['that is none', () => 'hello', /no private key/],
  ])('keys import refuses a key %s, and changes nothing', async (_, text, message) => {
    await keys('rotate --now');
    const before = await listed();
    const { status, stderr } = await keys(`import ${fileWith(text())}`);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(await listed()).toEqual(before);
    expect((await keys(`import ${folder}/missing`)).stderr).toMatch(/can't be read \(ENOENT\)/);
  });

  it('keys rotate follows SIGNING_ALGORITHM', async () => {
    await keys('rotate');
    clock.advance(15 * MINUTE);
    await keys('rotate', { SIGNING_ALGORITHM: 'EdDSA' });
    expect((await listed()).map(({ algorithm }) => algorithm)).toEqual(['EdDSA', 'ES256', 'ES256']);
  });

  it('two concurrent rotations end in one rotation and one refusal', async () => {
    await keys('rotate --now');
    clock.advance(61);
    const outcomes = await Promise.all([keys('rotate'), keys('rotate')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual([0, 1]);
    const { ring } = (await createKeyStore(store).load()) ?? {};
    expect(ring).toHaveLength(3);
    expect(ring && activeEntry(ring, now())).toBe(ring?.[1]);
  });

  it('ADR 9 --personal means the keys of personal tokens, and the other ring stays as it is', async () => {
    await keys('rotate');
    const before = await published();
    const personal = async () => JSON.parse((await keys('list --personal --json')).stdout) as Record<string, string>[];
    expect(await personal()).toEqual([]);
    expect((await keys('rotate --personal')).stdout).toMatch(/ signs from 2026-01-01T00:15:00Z\.\n/);
    const [next, first] = await personal();
    // 90 days after it signed last, and 15 minutes.
    expect([next?.state, first?.publishedUntil]).toEqual(['pending', '2026-04-01T00:30:00Z']);
    expect((await keys(`retire --personal -- ${first?.kid}`)).status).toBe(0);
    expect((await personal()).map(({ kid }) => kid)).toEqual([next?.kid]);
    expect((await keys(`retire -- ${next?.kid}`)).stderr).toContain('there is no key');
    expect(await published()).toEqual(before);
  });
});
