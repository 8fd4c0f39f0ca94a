/** Proves the command line of the client: the order of words, exit statuses, JSON, and what a server can't do to the terminal. */
import { visibleJson } from '@mcp-oauth/shared/text/terminal-text';
import { InsufficientScopeError } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { withCommandFirst } from '../../src/terminal/commands.ts';
import { failureOf } from '../../src/terminal/failure.ts';
import { createScreen } from '../../src/terminal/screen.ts';
import { barOf } from '../../src/terminal/show.ts';
import { MOST_BYTES, newPerson } from '../support/client.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

async function signedIn(issuer: Issuer) {
  const person = newPerson();
  await person.client(`${issuer.url} login --device`);
  return person;
}

describe('the command line of the client', () => {
  it.each([
    ['https://a.example/mcp', 'list https://a.example/mcp'],
    ['https://a.example/mcp --json', 'list https://a.example/mcp --json'],
    ['https://a.example/mcp call sum a=1', 'call https://a.example/mcp sum a=1'],
    ['--json https://a.example/mcp call sum', 'call --json https://a.example/mcp sum'],
    ['call https://a.example/mcp sum', 'call https://a.example/mcp sum'],
    ['read https://a.example/mcp https://b.example/', 'read https://a.example/mcp https://b.example/'],
    ['https://a.example/mcp read https://b.example/', 'read https://a.example/mcp https://b.example/'],
    ['https://a.example/mcp rest', 'rest https://a.example/mcp'],
    ['--help', '--help'],
  ])('%j means %j', (line, meant) => {
    expect(withCommandFirst(line.split(' '), ['list', 'call', 'read']).join(' ')).toBe(meant);
  });

  it.each([
    ['list', '<url> is missing'],
    ['list ftp://a.example', '<url> must be the http or https URL of an MCP server'],
    ['list https://alice:secret@a.example', '<url> must have no user name or password'],
    ['https://a.example call', '<tool> is missing'],
    ['https://a.example read', '<uri> is missing'],
    ['https://a.example frobnicate', 'there is no command "frobnicate"'],
    ['https://a.example --revision new', '--revision must be a date'],
    ['https://a.example --timeout 0', '--timeout must be between 1 and 86400 seconds'],
    ['https://a.example call roll --scope x', "Unknown option '--scope'"],
  ])('%j ends with 2 and the usage', async (line, reason) => {
    using person = newPerson();
    const { status, stdout, stderr } = await person.client(line);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('Usage: client');
  });

  it.each([
    ['call rol', 'there is no tool "rol"'],
    ['call roll sides=six', 'sides must be integer, not "six"'],
    ['call roll sdes=6', 'there is no argument "sdes": did you mean sides?'],
    ['call roll @missing', '@missing must contain a JSON object'],
  ])('%j ends with 2 and the reason, after the server was asked for its tools', async (line, reason) => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const { status, stdout, stderr } = await person.client(`${issuer.url} ${line}`);
    expect([status, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toContain(reason);
  });

  it('a tool that answers with an error ends with 1, and its answer is the result', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.answer = () => ({ isError: true, content: [{ type: 'text', text: 'no dice' }] });
    expect(await person.client(`${issuer.url} call roll`)).toEqual({ status: 1, stdout: 'no dice\n', stderr: '' });
    const { status, stdout } = await person.client(`${issuer.url} call roll --json`);
    expect([status, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ isError: true })]);
  });

  it('a server without a sign-in refuses login with 1', async () => {
    await using issuer = await startIssuer();
    using person = newPerson();
    const { status, stderr } = await person.client(`${new URL('/elsewhere', issuer.url)} login`);
    expect([status, stderr]).toEqual([
      1,
      'client: the server asks for no sign-in: it answers 404 to a request without a token\n',
    ]);
  });

  it('a server that cannot be reached ends with 4', async () => {
    using person = newPerson();
    const { status, stderr } = await person.client('http://127.0.0.1:1/mcp');
    expect([status, stderr]).toEqual([4, "client: the server can't be reached: connect ECONNREFUSED 127.0.0.1:1\n"]);
    expect(await person.client('http://127.0.0.1:1/mcp login')).toMatchObject({ status: 4, stderr });
  });

  it('CWE-400 an answer that is too long ends with 1, and is not read to its end', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    const textOf = (length: number) => () => ({ content: [{ type: 'text', text: 'a'.repeat(length) }] });
    issuer.answer = textOf(MOST_BYTES - 1_000);
    expect(await person.client(`${issuer.url} call roll`)).toMatchObject({ status: 0 });
    issuer.answer = textOf(MOST_BYTES);
    const { status, stdout, stderr } = await person.client(`${issuer.url} call roll`);
    expect([status, stdout, stderr]).toEqual([1, '', `client: the answer has more than ${MOST_BYTES} bytes\n`]);
  });

  it('RFC 6750 §5.3 plain http to another network gets no sign-in', async () => {
    using person = newPerson();
    const { status, stderr } = await person.client('http://mcp.example.com/mcp login');
    expect([status, stderr]).toEqual([2, expect.stringContaining('<url> must use https')]);
  });

  it('CWE-150 texts of the server reach the terminal without control characters', async () => {
    await using issuer = await startIssuer();
    using person = await signedIn(issuer);
    issuer.answer = () => ({ content: [{ type: 'text', text: 'a\u001b[2J\u202eb\r\nc\td' }] });
    const { stdout } = await person.client(`${issuer.url} call roll`);
    expect(stdout).toBe('a\\u001b[2J\\u202eb\nc    d\n');
    const { stdout: json } = await person.client(`${issuer.url} call roll --json`);
    expect(visibleJson(json)).toBe(json);
    expect(JSON.parse(json).content[0].text).toBe('a\u001b[2J\u202eb\r\nc\td');
  });

  it('RFC 6750 §3.1 a further scope is named with the command, but never as words of a shell', () => {
    const url = new URL('https://a.example/mcp');
    const says = (requiredScope: string) => failureOf(new InsufficientScopeError({ requiredScope }), url);
    expect(says('mcp:tools mcp:admin')).toEqual({
      kind: 'sign-in-needed',
      says: expect.stringMatching(/npm run client -- https:\/\/a\.example\/mcp login --scope 'mcp:tools mcp:admin'$/),
    });
    expect(says("x';reboot;'").says).toMatch(/login --scope '…'$/);
  });

  it('MCP, progress: a bar is one line of a terminal that is written again, and is gone before the result', () => {
    let written = '';
    const output = {
      write: (text: string) => {
        written += text;
      },
    };
    const screen = createScreen({
      stdout: output,
      stderr: output,
      json: false,
      isTerminal: true,
      columns: 80,
      lines: false,
    });
    screen.redraw('1/2');
    screen.redraw('2/2\u001b[2J\nmore');
    screen.result('done', undefined);
    expect(written).toBe('\r\u001b[K1/2\r\u001b[K2/2\\u001b[2J more\r\u001b[Kdone\n');
  });

  it('MCP, progress: a bar shows how much is done', () => {
    expect(barOf({ progress: 1, total: 4, message: 'reading' })).toBe('[######                  ] 1/4 reading');
    expect(barOf({ progress: 9, total: 4 })).toBe('[########################] 9/4');
    expect(barOf({ progress: -1, total: 4 })).toBe('[                        ] -1/4');
    expect(barOf({ progress: 3, message: 'three' })).toBe('3 three');
  });
});
