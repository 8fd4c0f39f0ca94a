/** Proves that a list is readable for a person and for a program, and that no value in it can control the terminal. */
import type { CommandGroup } from '@mcp-oauth/shared/cli/command';
import { json, showList } from '@mcp-oauth/shared/cli/list';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { describe, expect, it } from 'vitest';

const listing = (rows: Parameters<typeof showList>[1]): CommandGroup => ({
  name: 'sample',
  summary: 'A sample.',
  commands: [
    {
      name: 'list',
      summary: 'List.',
      options: { json },
      run: async (invocation) => {
        showList(invocation, rows, 'There are none.');
        return 0;
      },
    },
  ],
});

describe('a list', () => {
  const rows = [
    { kid: 'a', signsFrom: 'now', usesLeft: 3 },
    { kid: 'long', signsFrom: null, usesLeft: null },
  ];

  it('a list has a title over each column, and - for a missing value', async () => {
    const { stdout } = await run(listing(rows), 'list');
    expect(stdout).toBe('KID   SIGNS FROM  USES LEFT\na     now         3\nlong  -           -\n');
  });

  it('a list is printed as JSON with --json', async () => {
    expect(JSON.parse((await run(listing(rows), 'list --json')).stdout)).toEqual(rows);
    expect((await run(listing([]), 'list --json')).stdout).toBe('[]\n');
  });

  it('an empty list says that there are none', async () => {
    expect((await run(listing([]), 'list')).stdout).toBe('There are none.\n');
  });

  it('a list lets no control character through', async () => {
    const nasty = listing([{ name: '\u001b[2J\u009b31m\r\nroot' }]);
    expect((await run(nasty, 'list')).stdout).toBe('NAME\n?[2J?31m??root\n');
    const asJson = (await run(nasty, 'list --json')).stdout;
    expect(asJson).toBe('[\n  {\n    "name": "\\u001b[2J\\u009b31m\\r\\nroot"\n  }\n]\n');
    expect(JSON.parse(asJson)).toEqual([{ name: '\u001b[2J\u009b31m\r\nroot' }]);
    const turned = listing([{ name: 'a\u202eb\u2028c' }]);
    expect((await run(turned, 'list')).stdout).toBe('NAME\na?b?c\n');
    expect((await run(turned, 'list --json')).stdout).toContain('"a\\u202eb\\u2028c"');
  });
});
