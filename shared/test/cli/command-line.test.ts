/** Proves that a command line is parsed or refused with the usage, and that the help lists every command. */

import type { CommandGroup, Invocation } from '@mcp-oauth/shared/cli/command';
import { HttpError, StartError } from '@mcp-oauth/shared/errors';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { beforeEach, describe, expect, it } from 'vitest';

describe('a command line', () => {
  let seen: Invocation | undefined;
  let outcome: () => number | undefined;
  beforeEach(() => {
    seen = undefined;
    outcome = () => 0;
  });
  const note = async (invocation: Invocation) => {
    seen = invocation;
    return outcome();
  };
  const sample: CommandGroup = {
    name: 'sample',
    summary: 'A sample.',
    default: 'serve',
    commands: [
      { name: 'serve', summary: 'Serve.', run: note },
      {
        name: 'keys',
        summary: 'The keys.',
        commands: [
          {
            name: 'retire',
            summary: 'Retire a key.',
            details: 'For ever.',
            parameters: ['kid'],
            options: {
              json: { type: 'boolean', doc: 'Print JSON.' },
              'redirect-uri': { type: 'string', value: 'url', multiple: true, doc: 'A place.' },
            },
            run: note,
          },
          { name: 'compare', summary: 'Compare keys.', parameters: ['kid'], rest: 'kid', run: note },
        ],
      },
    ],
  };

  it.each(['', 'serve'])('the command line %j runs the default command', async (line) => {
    expect(await run(sample, line)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(seen).toBeDefined();
  });

  it('a command gets its parameters, its options and its environment', async () => {
    const line = 'keys retire --redirect-uri https://a.example abc --json --redirect-uri https://b.example';
    await run(sample, line, { A: '1' });
    expect(seen).toMatchObject({ parameters: { kid: 'abc' }, env: { A: '1' } });
    expect(seen?.options).toEqual({ json: true, 'redirect-uri': ['https://a.example', 'https://b.example'] });
  });

  it('a parameter that begins with a hyphen is taken after --', async () => {
    await run(sample, 'keys retire -- -abc');
    expect(seen?.parameters).toEqual({ kid: '-abc' });
  });

  it.each([
    '-AbCdEfGhIjKlMnOpQrSt',
    `-${'a'.repeat(42)}`,
    `--${'a'.repeat(41)}`,
    '--bCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcd',
  ])('a random id that begins with a hyphen, such as %j, needs no --', async (id) => {
    for (const line of [`keys retire ${id} --json`, `keys retire --json -- ${id}`]) {
      await run(sample, line);
      expect(seen).toMatchObject({ parameters: { kid: id }, options: { json: true } });
    }
    await run(sample, `keys compare a ${id} b ${id}`);
    expect(seen?.rest).toEqual([id, 'b', id]);
    await run(sample, `keys retire abc --redirect-uri ${id}`);
    expect(seen?.options).toEqual({ 'redirect-uri': [id] });
  });

  it('a command that takes any number of parameters gets all that follow', async () => {
    await run(sample, 'keys compare a b -- -c');
    expect(seen).toMatchObject({ parameters: { kid: 'a' }, rest: ['b', '-c'] });
    await run(sample, 'keys compare a');
    expect(seen).toMatchObject({ parameters: { kid: 'a' }, rest: [] });
  });

  it.each([
    ['nothing', 'there is no command "nothing"'],
    ['--json', 'there is no command "--json"'],
    ['keys', 'no command given'],
    ['keys nothing', 'there is no command "nothing"'],
    ['keys constructor', 'there is no command "constructor"'],
    ['keys retire', '<kid> is missing'],
    ['keys compare', '<kid> is missing'],
    ['keys retire a b', 'unexpected argument "b"'],
    ['keys retire a a-token-at-the-wrong-place', 'unexpected argument "a-toke…"'],
    ['keys retire a \u001b[31m', 'unexpected argument "\\u001b[31m"'],
    [
      'keys retire a --a-long-option-that-there-is-not',
      "Unknown option '--a-long-option-that-there-is-not'; put arguments that begin with a hyphen after --",
    ],
    ['keys retire a --now', "Unknown option '--now'; put arguments that begin with a hyphen after --"],
    ['keys retire a --redirect-uri', "Option '--redirect-uri <value>' argument missing"],
    ['serve now', 'unexpected argument "now"'],
  ])('the command line %j is refused with status 2 and the usage, and runs nothing', async (line, message) => {
    const { status, stdout, stderr } = await run(sample, line);
    expect([status, stdout, seen]).toEqual([2, '', undefined]);
    expect(stderr).toMatch(/\n\nUsage: sample /);
    expect(stderr.split('\n')[0]).toBe(`sample: ${message}`);
  });

  it('help lists the commands of a group, and the parameters of a command', async () => {
    for (const line of ['--help', '-h']) {
      const { status, stdout } = await run(sample, line);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Usage: sample <command>\n\nA sample\.\n\n {2}serve {11}Serve\. \(the default\)\n/);
      expect(stdout).toContain('  keys <command>  The keys.\n');
    }
    expect((await run(sample, 'keys --help')).stdout).toMatch(/^Usage: sample keys <command>\n/);
    const { stdout } = await run(sample, 'keys retire --help');
    expect(stdout).toMatch(/^Usage: sample keys retire \[options\] <kid>\n/);
    expect(stdout).toContain('For ever.');
    expect((await run(sample, 'keys compare -h')).stdout).toMatch(/^Usage: sample keys compare <kid> \[<kid>…\]\n/);
    expect(stdout).toContain('  --redirect-uri <url>…  A place.\n');
    expect(seen).toBeUndefined();
  });

  it.each([
    ['what the operator can mend', new StartError('A: wrong\nB: wrong'), 'sample: A: wrong\nsample: B: wrong\n'],
    [
      'the store',
      new HttpError(503, 'temporarily_unavailable', 'No memory.', { reason: 'ECONNREFUSED' }),
      'sample: No memory. (ECONNREFUSED)\n',
    ],
  ])('a failed command ends with status 1 and one line for each problem: %s', async (_, error, expected) => {
    outcome = () => {
      throw error;
    };
    expect(await run(sample, 'serve')).toEqual({ status: 1, stdout: '', stderr: expected });
  });

  it('a process ends with the status of its command, and keeps running when the command gives none', async () => {
    outcome = () => 7;
    expect((await run(sample, 'serve')).status).toBe(7);
    outcome = () => undefined;
    expect((await run(sample, 'serve')).status).toBeUndefined();
  });
});
