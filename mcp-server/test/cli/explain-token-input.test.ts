/**
 * Proves how `explain-token` gets a token: from a file or standard input of any content, never from the command line, and without a
 * question to the issuer if it is to be offline.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainTokenCommand } from '../../src/cli/explain-token/command.ts';
import { checkOf, explain, refusedIn, tell } from '../support/explained-token.ts';
import { type Foreign, startForeign } from '../support/foreign.ts';
import { signingKey, signText, signToken } from '../support/issuer.ts';

let foreign: Foreign;
let folder: string;
let settings: Record<string, string>;
const server = { url: 'https://mcp.example', clock: new FakeClock() };
beforeAll(async () => {
  foreign = await startForeign();
  folder = mkdtempSync(join(tmpdir(), 'token-'));
  settings = { ISSUER: foreign.issuer.url };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await foreign.issuer.close();
});

const now = () => server.clock.now() / 1000;
const claims = (more: object = {}) => ({
  iss: foreign.issuer.url,
  aud: 'https://mcp.example/mcp',
  sub: 'ada',
  client_id: 'desk',
  scope: 'mcp:tools',
  exp: now() + 600,
  ...more,
});
const sign = (more: object = {}, key = foreign.key) => signToken({ key, claims: claims(more) });
const file = (content: string) => {
  const path = join(folder, 'token');
  writeFileSync(path, content);
  return path;
};

describe('explain-token --offline', () => {
  it('explain-token --offline asks no issuer, and says that the signature was not checked', async () => {
    const before = foreign.issuer.requests.length;
    const token = await sign({}, await signingKey('key-1', 'RS256'));
    const { status, stdout } = await explain(server, settings, { token, words: ['--offline'] });
    expect([status, foreign.issuer.requests.length]).toEqual([0, before]);
    expect(stdout).toContain('· signature: key key-1\n    note: offline: anybody may have written this token');
    expect(stdout).toContain('Nothing is refused. What is marked with · was not checked.');
  });

  it('explain-token --offline refuses what is wrong besides the signature', async () => {
    const told = await tell(server, settings, await sign({ aud: 'x', exp: now() - 60 }), ['--offline']);
    expect(told).toMatchObject({ status: 1, accepted: false });
    expect(refusedIn(told).map(({ reason }) => reason)).toEqual(['expired', 'wrong_audience']);
    expect(refusedIn(await tell(server, settings, 'opaque', ['--offline']))).toMatchObject([{ reason: 'malformed' }]);
  });
});

describe('the input of explain-token', () => {
  it('explain-token reads a file', async () => {
    const path = file(`${await sign()}\n`);
    expect(await tell(server, settings, '', ['--token-file', path])).toMatchObject({ status: 0 });
    expect(await tell(server, settings, await sign(), ['--token-file', '-'])).toMatchObject({ status: 0 });
  });

  it.each([
    ['nothing', '', []],
    ['only a line end', '\n', []],
    ['only the name of a scheme', 'Bearer ', []],
    ['a file that does not exist', '', ['--token-file', '/nowhere/token']],
    ['a folder instead of a file', '', ['--token-file', tmpdir()]],
    ['two options for the token', '', ['--token', 'secret-token-value']],
    ['the token as an argument', '', ['secret-token-value-that-is-quite-long']],
  ])('explain-token ends with 2 for %s, and repeats no token', async (_, token, words) => {
    const { status, stdout, stderr } = await explain(server, settings, { token, words });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: mcp-server explain-token');
    expect(stderr).not.toContain('secret-token-value');
  });

  it('explain-token does not wait for a token that is typed at a terminal', async () => {
    const terminal = Object.assign(Readable.from([]), { isTTY: true });
    const commands = [explainTokenCommand({ stdin: () => terminal })];
    const { status, stderr } = await run({ name: 'mcp-server', summary: '', commands }, 'explain-token', settings);
    expect([status, stderr]).toEqual([2, expect.stringContaining('pipe it to standard input')]);
  });

  it('explain-token says why it takes no token as an option', async () => {
    const { stderr } = await explain(server, settings, { token: '', words: ['--token=secret-token-value'] });
    expect(stderr).toMatch(/other users of the machine can see/);
  });

  it.each([
    ['text', 'this is no token'],
    ['a JSON object', '{"access_token":"x"}'],
    ['two dots', '..'],
    ['a token that was cut off', 'eyJhbGciOiJFUzI1NiJ9.eyJpc3Mi'],
    ['an encrypted token', 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d'],
    ['bytes', new Uint8Array([0, 255, 254, 1])],
  ])('explain-token refuses %s as malformed', async (_, token) => {
    expect(refusedIn(await tell(server, settings, token))).toMatchObject([{ check: 'form', reason: 'malformed' }]);
  });

  it('explain-token refuses lists inside lists without end, in every place', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    for (const name of ['alg', 'typ', 'kid', 'iss', 'sub', 'aud']) {
      const part = (text: string) => Buffer.from(text.replace(new RegExp(`"${name}":"[^"]*"`), `"${name}":${deep}`));
      const [header, body] = [JSON.stringify({ alg: 'none', typ: 'x', kid: 'k' }), JSON.stringify(claims())];
      const token = `${part(header).toString('base64url')}.${part(body).toString('base64url')}.AAAA`;
      expect((await tell(server, settings, token)).status, name).toBe(1);
      expect(refusedIn(await tell(server, settings, token)).length, name).toBeGreaterThan(0);
    }
  });

  it('explain-token refuses 1 MB without reading all of it', async () => {
    const told = await tell(server, settings, 'a'.repeat(1_000_000));
    expect(told).toMatchObject({ status: 1, checks: [{ check: 'size', setting: 'MAX_HEADER_SIZE' }] });
    expect(checkOf(await tell(server, settings, '', ['--token-file', '/dev/zero']), 'size')).toBeDefined();
  });

  it('RFC 7515 §4.1.11 explain-token refuses an unknown critical extension, and odd claims', async () => {
    const { privateKey, publicJwk } = await signingKey('key-2');
    foreign.issuer.keys.push(publicJwk);
    const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-2' };
    const signed = (head: object, body: string) => signText(JSON.stringify(head), body, privateKey);
    const critical = await signed({ ...header, crit: ['x'], x: 1 }, JSON.stringify(claims()));
    for (const words of [[], ['--offline']]) {
      expect(refusedIn(await tell(server, settings, critical, words))).toMatchObject([{ reason: 'malformed' }]);
      for (const odd of [{ exp: 'soon' }, { nbf: {} }, { iat: [] }, { sub: 5 }, { cnf: null }, { aud: 7 }]) {
        const told = await tell(server, settings, await signed(header, JSON.stringify(claims(odd))), words);
        expect(refusedIn(told), JSON.stringify(odd)).toHaveLength(1);
      }
      expect(await tell(server, settings, await signed(header, '[]'), words)).toMatchObject({ status: 1 });
      const huge = JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999');
      expect(refusedIn(await tell(server, settings, await signed(header, huge), words))).toHaveLength(1);
    }
  });

  it('explain-token ends with 1 for settings with which the server does not start', async () => {
    const { status, stdout, stderr } = await explain(server, { ISSUER: 'nonsense' }, { token: await sign() });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('ISSUER');
  });
});

describe('explain-token as a process', () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const start = async (token: string) => {
    const env = { ...process.env, PUBLIC_URL: server.url, NODE_ENV: 'test', ...settings };
    const child = spawn(process.execPath, [main, 'explain-token'], { env });
    child.stdin.on('error', () => {}).end(token);
    const closed = new Promise((resolve) => child.once('close', resolve));
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { stdout, stderr, status };
  };

  it('explain-token reads standard input, asks the issuer for its keys, and ends with its verdict', async () => {
    const soon = Math.floor(Date.now() / 1000) + 600;
    const { stdout, stderr, status } = await start(await sign({ exp: soon }));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('✓ signature: key key-1');
    expect(stdout).toContain('Accepted: https://mcp.example/mcp lets ada in until');
    expect(await start(await sign({ exp: soon, aud: 'x' }))).toMatchObject({ status: 1 });
    expect(await start('a'.repeat(1_000_000))).toMatchObject({ status: 1, stderr: '' });
  });
});
