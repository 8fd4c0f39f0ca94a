/** Proves `npm run client` as a person and a script use it, against the real processes: sign-in, calls in both eras, step-up, sign-out. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../support/person.ts';
import { ROOT, Stack } from '../support/stack.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with everything that was written so far. */
  readonly onError?: (text: string) => void;
  readonly onOutput?: (text: string, end: (signal: NodeJS.Signals) => void) => void;
}

let stack: Stack;
let config: string;
beforeAll(async () => {
  config = mkdtempSync(join(tmpdir(), 'mcp-client-'));
  stack = await Stack.start({ TOOLS_DIR: join(ROOT, 'test/failover/tools') });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(config, { recursive: true, force: true });
});

/** @param program with its arguments before those of the client */
function run(
  program: readonly string[],
  args: readonly string[],
  { input = '', env = {}, onError, onOutput }: Options = {},
): Promise<Ran> {
  const [command = '', ...before] = program;
  const child = spawn(command, [...before, `${stack.mcpUrl}/mcp`, ...args], {
    cwd: ROOT,
    env: { ...process.env, XDG_CONFIG_HOME: config, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk;
    onOutput?.(said.stdout, (signal) => child.kill(signal));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk;
    onError?.(said.stderr);
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...said })));
}

const client = (args: readonly string[], options?: Options) => run(['npm', 'run', '-s', 'client', '--'], args, options);

/** What a browser does with the URL, and a person with its pages. */
const fetchCallback = async (url: string) =>
  fetch(await new Person().signIn(url, new URL(url).searchParams.get('redirect_uri') ?? ''));

/** Opens the printed URL once, as a person in a browser. */
async function login(...args: string[]): Promise<Ran> {
  let finished: Promise<unknown> | undefined;
  const ran = await client(['login', '--no-browser', ...args], {
    onError: (text) => {
      const [, url] = /^ {2}(http\S+)\n/m.exec(text) ?? [];
      if (!url) return;
      finished ??= fetchCallback(url);
    },
  });
  await finished;
  return ran;
}

const filesOf = (): readonly string[] =>
  readdirSync(join(config, 'mcp-oauth-client')).map((name) => join(config, 'mcp-oauth-client', name));

describe('npm run client', () => {
  it('without a sign-in ends with 3 and says how to sign in', async () => {
    const { status, stdout, stderr } = await client([]);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toBe(`client: the server needs a sign-in. Sign in: npm run client -- ${stack.mcpUrl}/mcp login\n`);
  });

  it('RFC 8252 §7.3 login keeps the tokens of a sign-in in the browser, in a file that only the person can read', async () => {
    const { status, stdout } = await login();
    expect([status, stdout]).toEqual([0, expect.stringContaining(`Signed in by ${stack.authUrl}, for mcp:tools.`)]);
    const [path = '', ...others] = filesOf();
    expect([others, statSync(path).mode & 0o777]).toEqual([[], 0o600]);
  });

  it('without a command the client lists what there is, for a person and for a script', async () => {
    const { status, stdout, stderr } = await client([]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^mcp-oauth-server \S+ speaks 2026-07-28\n\nTools\n/);
    expect(stdout).toContain('\n  countdown [from=<integer>] [interval_ms=<integer>]\n');
    expect(stdout).toContain('\nResources\n  about://server\n');
    expect(stdout).toContain('\nPrompts\n  try_out [depth=<text>]\n');
    const json = JSON.parse((await client(['--json'])).stdout);
    expect(json.tools.map(({ name }: { name: string }) => name)).toContain('whoami');
  });

  it.each(['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'])(
    'MCP, lifecycle: calls a tool, reads a resource, asks a question and shows progress in %s',
    async (revision) => {
      const at = ['--revision', revision];
      const sum = await client(['call', 'sum', 'a=0.1', 'b=0.2', ...at]);
      expect(sum).toEqual({ status: 0, stdout: 'The sum of 0.1 and 0.2 is 0.3\n', stderr: '' });
      const read = await client(['read', 'about://server', ...at]);
      expect(JSON.parse(read.stdout)).toMatchObject({ name: 'mcp-oauth-server' });
      const countdown = await client(['call', 'countdown', 'from=2', 'interval_ms=0', ...at]);
      expect(countdown.stdout).toBe('Counted down from 2 to 0.\n');
      expect(countdown.stderr).toContain('[########################] 2/2 Lift-off\n');
      // Elicitation exists since 2025-06-18.
      if (revision < '2025-06-18') return;
      const confirm = await client(['call', 'confirm', 'question=Really?', ...at], { input: 'y\nmaybe\nyes\nfine\n' });
      expect([confirm.status, confirm.stdout]).toEqual([0, 'The user said yes: fine\n']);
      expect(confirm.stderr).toContain('asks: Really?\nAnswer? [Y/n] confirmed (Yes or no) [y/n]:   y or n\n');
    },
  );

  it('asks no question in --json, declines it, and ends with 5', async () => {
    const { status, stdout, stderr } = await client(['call', 'confirm', 'question=Really?', '--json'], {
      input: 'y\ny\n\n',
    });
    expect([status, stderr]).toEqual([
      5,
      expect.stringMatching(/ asks: Really\?\nclient: nobody can be asked here.*\n$/),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { answer: 'declined' } });
  });

  it('takes arguments as JSON from standard input, and from a file', async () => {
    const path = join(config, 'numbers.json');
    writeFileSync(path, '{"a":1,"b":1}');
    expect((await client(['call', 'sum', `@${path}`, 'b=4'])).stdout).toBe('The sum of 1 and 4 is 5\n');
    const { stdout } = await client(['call', 'sum', '-', '--json'], { input: '{"a":1,"b":2}' });
    expect(JSON.parse(stdout)).toMatchObject({ structuredContent: { result: 3 } });
  });

  it('fills in the arguments of a text that the server offers', async () => {
    const { status, stdout } = await client(['prompt', 'try_out', 'depth=thorough']);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^user: Use every tool of this server/)]);
  });

  it.each([
    [2, ['call', 'sum', 'a=1', 'b=two'], 'client: b must be number, not "two"\n'],
    [2, ['call', 'sum', 'a=1'], 'client: missing: b\n'],
    [2, ['call', 'summ'], 'client: there is no tool "summ"'],
    [1, ['read', 'about://nothing'], 'client: '],
    [1, ['prompt', 'try_out', 'depth=none'], 'client: '],
  ])('the client ends with %d for %j, and one line says why', async (expected, args, line) => {
    const { status, stdout, stderr } = await client(args);
    expect([status, stdout, stderr.split('\n').length]).toEqual([expected, '', 2]);
    expect(stderr).toContain(line);
  });

  it.each(['2026-07-28', '2025-11-25'])(
    'MCP, resources: watches in %s, tells what has changed, and ends with 0 on Ctrl-C',
    async (revision) => {
      const uri = 'about://server';
      let called: Promise<Ran> | undefined;
      const watching = run([process.execPath, 'client/src/main.ts'], ['watch', uri, '--revision', revision], {
        onError: (text) => {
          if (text.includes('Watching')) called ??= client(['call', 'announce', 'label=a', `uri=${uri}`]);
        },
        onOutput: (text, end) => text.includes('\n') && end('SIGINT'),
      });
      expect(await watching).toEqual({ status: 0, stdout: `${uri} changed\n`, stderr: 'Watching. Ctrl-C ends it.\n' });
      expect(await called).toMatchObject({ status: 0 });
    },
  );

  it('RFC 6750 §3.1 a tool with a further scope ends with 3 and the command that asks for it, which helps', async () => {
    const { status, stderr } = await client(['call', 'server_status']);
    const [, scope = ''] = / login --scope '([^']+)'\n$/.exec(stderr) ?? [];
    expect([status, scope.split(' ')]).toEqual([3, expect.arrayContaining(['mcp:admin'])]);
    const [path = ''] = filesOf();
    const before = JSON.parse(readFileSync(path, 'utf8')).client.client_id;
    expect(await login('--scope', scope)).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(path, 'utf8')).client.client_id).toBe(before);
    expect(await client(['call', 'server_status'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^mcp-oauth-server .*, up for /),
    });
  });

  it('RFC 7009 §2.1 logout revokes the tokens at auth-server and deletes them here', async () => {
    const [path = ''] = filesOf();
    const { client: registered, tokens } = JSON.parse(readFileSync(path, 'utf8'));
    const { status, stdout } = await client(['logout']);
    expect([status, stdout, filesOf()]).toEqual([0, 'Signed out: the tokens are revoked.\n', []]);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: registered.client_id,
      refresh_token: tokens.refresh_token,
    });
    const refused = await fetch(`${stack.authUrl}/token`, { method: 'POST', body });
    expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })]);
    expect(await client(['call', 'whoami'])).toMatchObject({ status: 3, stdout: '' });
  });

  it('RFC 8252 §7 login opens the browser of this machine at the URL that it prints', async () => {
    const programs = mkdtempSync(join(tmpdir(), 'mcp-browser-'));
    const opened = join(programs, 'opened');
    // Linux and macOS call it by these names.
    for (const name of ['xdg-open', 'open']) {
      writeFileSync(join(programs, name), `#!/bin/sh\necho "$1" > '${opened}'\n`, { mode: 0o755 });
    }
    let finished: Promise<unknown> | undefined;
    const ran = await client(['login'], {
      env: { PATH: `${programs}:${process.env.PATH}` },
      onError: (text) => {
        const [, url] = /^ {2}(http\S+)\n/m.exec(text) ?? [];
        if (url) finished ??= fetchCallback(url);
      },
    });
    await finished;
    const [, printed] = /^ {2}(http\S+)\n/m.exec(ran.stderr) ?? [];
    expect([ran.status, readFileSync(opened, 'utf8')]).toEqual([0, `${printed}\n`]);
    expect(await client(['logout'])).toMatchObject({ status: 0 });
    rmSync(programs, { recursive: true, force: true });
  });

  it('CWE-532 no token is in the output of any command', async () => {
    const outputs = [await login(), await client(['call', 'whoami', '--json']), await client(['--json'])];
    const [path = ''] = filesOf();
    const { tokens } = JSON.parse(readFileSync(path, 'utf8'));
    const text = JSON.stringify([...outputs, await client(['logout'])]);
    for (const secret of [tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/eyJ/);
  });
});
