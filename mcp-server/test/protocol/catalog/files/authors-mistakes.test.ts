/**
 * Proves that every mistake of an author in a mounted file is reported with the file, the line where there is one, and
 * what was expected; that no file is ignored silently, and that no duplicate replaces another definition.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createLogger } from '@mcp-oauth/shared/logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCatalog } from '../../../../src/protocol/catalog/live-catalog.ts';
import { folderOf, type TestFolder, toolFile } from '../../../support/definition-folder.ts';

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly file?: string;
  readonly line?: number;
  readonly reason?: string;
  readonly files?: readonly string[];
}

async function open(folder: Pick<TestFolder, 'url'>, more: { strict?: boolean; watch?: boolean } = {}) {
  const lines: Line[] = [];
  const heard: (() => void)[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    for (const look of heard) look();
  };
  const mount = { folder: folder.url, strict: false, watch: false, ...more };
  const catalog = await openCatalog([], mount, createLogger('test', 'debug', { write }));
  const names = () => catalog.current().tools.entries.map(({ key }) => key);
  const told = (name: string) => lines.filter(({ file }) => file?.endsWith(`/${name}`));
  const says = (msg: string, times = 1) =>
    new Promise<void>((resolve) => {
      const look = () => lines.filter((line) => line.msg === msg).length >= times && resolve();
      heard.push(look);
      look();
    });
  return { catalog, lines, names, told, says, [Symbol.dispose]: () => catalog.close() };
}

function put(folder: TestFolder, name: string, text: string): void {
  mkdirSync(dirname(join(folder.path, name)), { recursive: true });
  writeFileSync(join(folder.path, name), text);
}

/**
 * The messages of a server about its folders at start, in a process of its own: vitest has another loader than Node.
 */
function readAtStart(folders: readonly string[], strict = ''): readonly Report[] {
  const program = fileURLToPath(new URL('report.ts', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [program, strict, ...folders], { encoding: 'utf8' });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

interface Report {
  readonly lines: readonly Line[];
  readonly names: readonly string[];
  readonly error?: string;
}

const told = ({ lines }: Report, name: string) => lines.filter(({ file }) => file?.endsWith(`/${name}`));

describe('a definition file that cannot be loaded', () => {
  const rows: readonly (readonly [name: string, text: string, line: number | undefined, reason: string])[] = [
    ['x.tool.ts', 'const a = 1;\n\nexport default {{;', 3, 'Unexpected token'],
    ['x.tool.ts', '\n\nexport default { a: 1', 3, 'Expected'],
    ['x.tool.ts', '\nenum X { a }\nexport default X;', 2, 'enum is not supported'],
    ['x.tool.js', 'const a = 1;\n\n\nexport default {{;', 4, 'Unexpected token'],
    ['x.tool.ts', '\n\nthrow new Error("boom");', 3, 'boom'],
    ['x.tool.js', '\n\nthrow new Error("boom");', 3, 'boom'],
    ['x.tool.ts', '\nconst a: any = undefined;\na.b();\nexport default 1;', 3, 'Cannot read properties'],
    ['x.tool.ts', '\nexport default JSON.parse("{");', 2, 'JSON'],
    ['x.tool.ts', "// first\nimport { no } from 'zod';\nexport default no;", 2, "export named 'no'"],
    ['x.tool.ts', "// first\nimport x from 'there-is-no-such';\nexport default x;", 2, "package 'there-is-no-such'"],
    ['x.tool.ts', "// first\nimport x from '@none/such/deep';\nexport default x;", 2, '@none/such'],
    ['x.tool.ts', "// first\nimport x from './there-is-none.ts';\nexport default x;", 2, 'there-is-none.ts'],
    ['x.tool.ts', 'throw null;', undefined, 'null'],
    ['x.tool.ts', 'throw Object.create(null);', undefined, 'an object'],
    ['x.tool.ts', 'throw Symbol("x");', undefined, 'a symbol'],
    ['x.tool.ts', 'throw "because";', undefined, '"because"'],
    ['x.tool.ts', '\nthrow new RangeError();', 2, 'RangeError'],
    ['x.tool.ts', 'export default { get name() { throw null; } };', undefined, 'null'],
    ['x.tool.ts', 'export const x = 1;', undefined, 'does not export a tool as default'],
    ['x.resource.ts', 'export default 7;', undefined, 'does not export a resource as default'],
    ['x.prompt.ts', 'export default () => 1;', undefined, 'does not export a prompt as default'],
    ['x.tool.ts', toolFile('x', '', "scope: 'two words',"), undefined, 'is "two words"'],
    ['x.tool.ts', toolFile('x', '', 'scope: undefined,'), undefined, 'is undefined'],
  ];
  const folders = rows.map(([name, text]) => folderOf({ [name]: text }));
  let reports: readonly Report[] = [];
  beforeAll(() => {
    reports = readAtStart(folders.map(({ path }) => path));
  });
  afterAll(() => {
    for (const folder of folders) folder[Symbol.dispose]();
  });

  it.each(rows.map((row, index) => [...row, index] as const))(
    'the file %s with %j is reported with line %s',
    (name, _, line, reason, index) => {
      const report = reports[index] ?? { lines: [], names: [] };
      const [first, ...more] = told(report, name);
      expect(first).toMatchObject({ level: 'error', reason: expect.stringContaining(reason) });
      expect([first?.file, first?.line]).toEqual([join(folders[index]?.path ?? '', name), line]);
      expect(more).toEqual([]);
    },
  );

  it('an error in an imported file is reported with that file', () => {
    for (const [name, text] of [
      ['words.ts', 'export const a = 1;\n\nexport const b = {{;'],
      ['words.js', 'export const a = 1;\n\nexport const b = {{;'],
      ['words.ts', '\n\nthrow new Error("boom");\nexport const a = 1;'],
    ] as const) {
      using folder = folderOf({ 'x.tool.ts': `import { a } from './${name}';\nexport default a;`, [name]: text });
      const [report] = readAtStart([folder.path]);
      const place = `${join(folder.path, name)}:3: `;
      expect(report?.lines.find(({ file }) => file)).toMatchObject({ reason: expect.stringContaining(place) });
    }
  });

  it('a missing package is reported with the importing file, and with the place for packages', () => {
    using folder = folderOf({ 'x.tool.ts': "import 'there-is-no-such';\nexport default 1;" });
    const reason = readAtStart([folder.path])[0]?.lines.find(({ file }) => file)?.reason ?? '';
    expect(reason).toContain(`imported from ${join(folder.path, 'x.tool.ts')}`);
    expect(reason).toContain(join(folder.path, 'node_modules'));
    expect(reason).not.toContain('mcp-server');
  });

  it('the line of an error is right for a folder reached through a link, or with a space in its name', () => {
    using folder = folderOf({});
    put(folder, 'my tools/x.tool.ts', '\nthrow new Error("boom");');
    put(folder, 'my tools/y.tool.ts', '\nexport default {{;');
    symlinkSync(join(folder.path, 'my tools'), join(folder.path, 'link'));
    for (const name of ['my tools', 'link']) {
      const [report] = readAtStart([join(folder.path, name)]);
      expect(report?.lines.filter(({ level }) => level === 'error').map(({ line }) => line)).toEqual([2, 2]);
    }
  });

  it('a file that prevents the start is reported with its line', () => {
    using folder = folderOf({ 'x.tool.ts': '\nexport default {{;' });
    const [report] = readAtStart([folder.path], 'strict');
    expect(report?.error).toContain(`${join(folder.path, 'x.tool.ts')}:2 can't be offered`);
  });
});

describe('files that are not read', () => {
  it.each([
    ['x.tools.ts', '.tool.ts'],
    ['x.tool.mjs', '.tool.ts'],
    ['x.tool.mts', '.tool.ts'],
    ['x.tool.cjs', '.tool.ts'],
    ['x.tool.tsx', '.tool.ts'],
    ['x.Tool.ts', '.tool.ts'],
    ['x-tool.ts', '.tool.ts'],
    ['tool.ts', '.tool.ts'],
    ['room.js', '.tool.ts'],
    ['x.resources.js', '.resource.ts'],
    ['x.prompts.ts', '.prompt.ts'],
  ])('the misnamed file %s is reported, with the name that it needs', async (name, expected) => {
    using folder = folderOf({ [name]: toolFile('x') });
    using mounted = await open(folder);
    expect(mounted.told(name)).toMatchObject([{ level: 'error', reason: expect.stringContaining(expected) }]);
    expect(mounted.names()).toEqual([]);
  });

  it('definition files in subfolders are reported, except in packages and hidden folders', async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a') });
    put(folder, 'more/b.tool.ts', toolFile('b'));
    put(folder, 'more/deep/c.resource.js', '');
    put(folder, 'more/words.ts', '');
    put(folder, 'node_modules/p/d.tool.ts', '');
    put(folder, '.git/e.tool.ts', '');
    using mounted = await open(folder);
    for (const name of ['more/b.tool.ts', 'more/deep/c.resource.js']) {
      expect(mounted.told(name)).toMatchObject([{ reason: expect.stringContaining('TOOLS_DIR itself') }]);
    }
    expect(mounted.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    expect(mounted.names()).toEqual(['a']);
    await expect(open(folder, { strict: true })).rejects.toThrow('b.tool.ts');
  });

  it('other files in the folder are listed once', async () => {
    using folder = folderOf({
      'a.tool.ts': toolFile('a'),
      'words.ts': '',
      'README.md': '',
      'types.d.ts': '',
      'tool.ts': '',
    });
    using mounted = await open(folder);
    expect(mounted.lines.find(({ msg }) => msg === 'other files in TOOLS_DIR')?.files).toEqual([
      'README.md',
      'tool.ts',
      'types.d.ts',
      'words.ts',
    ]);
    expect(mounted.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('a folder without any definition is reported as a warning', async () => {
    using folder = folderOf({ 'README.md': '' });
    using mounted = await open(folder);
    expect(mounted.lines).toContainEqual(expect.objectContaining({ level: 'warn', msg: 'no definition in TOOLS_DIR' }));
  });
});

describe('two files with the same definition', () => {
  const guarded = toolFile('room', 'guarded', "scope: 'rooms:read',");
  const copy = toolFile('room', 'copy');

  it('two files with the same definition are both reported, and neither is served', async () => {
    using folder = folderOf({ 'room.tool.ts': guarded, 'room copy.tool.ts': copy, 'other.tool.ts': toolFile('other') });
    using mounted = await open(folder);
    expect(mounted.names(), JSON.stringify(mounted.lines)).toEqual(['other']);
    for (const [name, other] of [
      ['room.tool.ts', 'room copy.tool.ts'],
      ['room copy.tool.ts', 'room.tool.ts'],
    ] as const) {
      expect(mounted.told(name)).toMatchObject([{ reason: expect.stringContaining(join(folder.path, other)) }]);
    }
    await expect(open(folder, { strict: true })).rejects.toThrow('room copy.tool.ts');
  });

  it('the definition that is already served stays when a second file defines it', async () => {
    using folder = folderOf({ 'room.tool.ts': guarded });
    using mounted = await open(folder, { watch: true });
    folder.write('a copy.tool.ts', copy);
    await mounted.says('mounted files read again');
    expect(mounted.catalog.current().tools.find('room')?.scopes).toEqual(['rooms:read']);
    expect(mounted.told('a copy.tool.ts')).toMatchObject([{ reason: expect.stringContaining('room.tool.ts stays') }]);
    expect(mounted.told('room.tool.ts')).toEqual([]);

    folder.remove('room.tool.ts');
    await mounted.says('mounted files read again', 2);
    expect(mounted.catalog.current().tools.find('room')?.scopes).toEqual([]);
  });
});

describe('an unreadable TOOLS_DIR', () => {
  it.each([
    ['nothing', 'it does not exist'],
    ['file', 'it is not a folder'],
  ])('an unreadable TOOLS_DIR is reported: %s', async (name, why) => {
    using folder = folderOf({ file: '' });
    const url = pathToFileURL(`${join(folder.path, name)}/`);
    await expect(open({ url })).rejects.toThrow(
      new RegExp(`^TOOLS_DIR: the folder .*${name}.* can't be read .*${why}`),
    );
  });
});
