/** Proves what a mounted folder adds, which files are left out, and how it may change while the server runs. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLogger } from '@mcp-oauth/shared/logger';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../src/protocol/catalog/files/source.ts';
import { type Mount, openCatalog } from '../../../src/protocol/catalog/live-catalog.ts';
import type { Change } from '../../../src/protocol/changes/changes.ts';
import { testContext } from '../../support/definition-context.ts';
import { folderOf, type TestFolder, toolFile } from '../../support/definition-folder.ts';
import { builtInSources } from '../../support/protocol-harness.ts';

interface Line {
  readonly msg: string;
  readonly file?: string;
  readonly reason?: string;
}

async function open(folder: TestFolder, mount: Partial<Mount> = {}, builtIn: readonly Source[] = []) {
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    for (const look of waiting) look();
  };
  const settings = { folder: folder.url, strict: false, watch: false, ...mount };
  const catalog = await openCatalog(builtIn, settings, createLogger('test', 'debug', { write }));
  const changes: Change[] = [];
  catalog.onChange(async (change) => void changes.push(change));
  const names = () => catalog.current().tools.entries.map(({ key }) => key);
  const call = async (name: string, fail = false) =>
    (await catalog.current().tools.find(name)?.run({ fail }, testContext))?.text;
  /** Resolves when a message has been logged so often. */
  const says = (msg: string, times = 1) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (lines.filter((line) => line.msg === msg).length < times) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { catalog, changes, lines, names, call, says, [Symbol.dispose]: () => catalog.close() };
}

const AGAIN = 'mounted files read again';

describe('a mounted folder', () => {
  it('a mounted folder adds the definitions of its files to the built-in ones', async () => {
    using folder = folderOf({
      'a.tool.ts': toolFile('a'),
      'b.tool.js': toolFile('b').replace(': string', ''),
      'notes.txt': 'no definition',
      '.#a.tool.ts': 'of an editor',
      'types.d.ts': 'export {};',
      'r.resource.ts': `import { defineResource } from '@mcp-oauth/mcp-server/define';
        export default defineResource({ name: 'r', title: 't', description: 'd', uri: 'a:b', read: () => ({ text: '' }) });`,
      'p.prompt.ts': `import { definePrompt } from '@mcp-oauth/mcp-server/define';
        export default definePrompt({ name: 'p', title: 't', description: 'd', render: () => [] });`,
    });
    using mounted = await open(folder, {}, builtInSources);
    expect(mounted.names()).toEqual(expect.arrayContaining(['a', 'b', 'echo']));
    expect(await mounted.call('b')).toBe('hello');
    const { resources, prompts } = mounted.catalog.current();
    expect(resources.entries.map(({ key }) => key)).toEqual(['a:b', 'about://server']);
    expect(prompts.entries.map(({ key }) => key)).toEqual(['p', 'try_out']);
  });

  it("a mounted folder's own packages take precedence over the server's", async () => {
    using folder = folderOf({
      'a.tool.ts': `import { name } from 'jose'; ${toolFile('a').replace('text: words', 'text: name')}`,
    });
    const own = join(folder.path, 'node_modules/jose');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'package.json'), '{"name":"jose","main":"index.mjs"}');
    writeFileSync(join(own, 'index.mjs'), 'export const name = "own";');
    using mounted = await open(folder);
    expect(await mounted.call('a')).toBe('own');
  });

  it('a mounted folder may be a symbolic link', async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a') });
    using links = folderOf({});
    symlinkSync(folder.path, join(links.path, 'link'));
    using mounted = await open({ ...links, url: pathToFileURL(`${links.path}/link/`) });
    expect(mounted.names()).toEqual(['a']);
  });

  it('a mounted tool that acts at an upstream is offered only if UPSTREAMS names it, and the log says so', async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a', 'hello', "upstream: ['github', 'crm'],") });
    using without = await open(folder, { upstreams: new Set(['github']) });
    expect(without.names()).toEqual([]);
    expect(without.lines.map(({ reason }) => reason)).toContain('it acts at crm, which UPSTREAMS does not name');
    using mounted = await open(folder, { upstreams: new Set(['github', 'crm']) });
    expect(mounted.names()).toEqual(['a']);
    await expect(open(folder, { strict: true })).rejects.toThrow('it acts at github, crm');
  });

  it("a mounted tool whose upstream is not a name can't be offered", async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a', 'hello', "upstream: '',") });
    using mounted = await open(folder);
    expect(mounted.lines.map(({ reason }) => reason).join()).toContain('upstream has to be the id of an upstream');
  });

  it('a mounted folder must exist', async () => {
    using folder = folderOf({});
    const nowhere = { ...folder, url: new URL('nothing/', folder.url) };
    await expect(open(nowhere)).rejects.toThrow(/nothing\/? can't be read \(ENOENT\)/);
  });
});

describe('invalid mounted files', () => {
  const files = {
    'a.tool.ts': toolFile('a'),
    'bad-import.tool.ts': "import 'there-is-no-such-package'; export default 1;",
    'echo.tool.ts': toolFile('echo'),
    'nothing.tool.ts': 'export const x = 1;',
    'syntax.tool.ts': 'export default {{;',
    'throws.tool.ts': "throw new Error('at once');",
    'throws-nothing.tool.ts': 'throw undefined;',
  };
  const reasons: Readonly<Record<string, string>> = {
    'bad-import.tool.ts': 'there-is-no-such-package',
    'echo.tool.ts': 'two tools are named echo',
    'nothing.tool.ts': 'it does not export a tool as default',
    'syntax.tool.ts': '',
    'throws.tool.ts': 'at once',
    'throws-nothing.tool.ts': 'undefined',
  };

  it('an invalid file is reported with its reason, and the other files are served', async () => {
    using folder = folderOf(files);
    using mounted = await open(folder, {}, builtInSources);
    expect(mounted.names()).toContain('a');
    const named = mounted.lines.filter(({ msg }) => msg.startsWith('mounted file left out'));
    expect(named.map(({ file }) => file).sort()).toEqual(
      Object.keys(reasons)
        .map((name) => join(folder.path, name))
        .sort(),
    );
    for (const [name, reason] of Object.entries(reasons)) {
      expect(named.find(({ file }) => file?.endsWith(`/${name}`))?.reason).toContain(reason);
    }
  });

  it('an invalid file prevents the start in strict mode, and all reasons are reported at once', async () => {
    using folder = folderOf(files);
    const starting = open(folder, { strict: true }, builtInSources);
    for (const name of Object.keys(reasons)) await expect(starting).rejects.toThrow(join(folder.path, name));
  });
});

describe('a watched folder', () => {
  it('a watched folder is read again: new, changed and removed files', async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a', 'one') });
    using mounted = await open(folder, { watch: true });
    expect(await mounted.call('a')).toBe('one');

    folder.write('a.tool.ts', toolFile('a', 'two'));
    await mounted.says(AGAIN);
    expect([await mounted.call('a'), mounted.changes]).toEqual(['two', []]);

    folder.write('b.tool.ts', toolFile('b'));
    await mounted.says(AGAIN, 2);
    expect([mounted.names(), mounted.changes]).toEqual([['a', 'b'], [{ kind: 'tools' }]]);

    folder.remove('a.tool.ts');
    await mounted.says(AGAIN, 3);
    expect([mounted.names(), mounted.changes]).toEqual([['b'], [{ kind: 'tools' }, { kind: 'tools' }]]);
  });

  it.each([
    ['cannot be read', 'export default {{;'],
    ['cannot be offered', toolFile('two words')],
  ])('the last working version of a file is kept when the file %s', async (_, broken) => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a') });
    using mounted = await open(folder, { watch: true });
    const { a } = { a: mounted.catalog.current().tools.find('a')?.listed };
    folder.write('a.tool.ts', broken);
    await mounted.says(AGAIN);
    expect(mounted.lines.find(({ msg }) => msg.startsWith('mounted file not taken'))?.file).toBe(
      join(folder.path, 'a.tool.ts'),
    );
    expect([mounted.catalog.current().tools.find('a')?.listed, await mounted.call('a'), mounted.changes]).toEqual([
      a,
      'hello',
      [],
    ]);
    folder.write('a.tool.ts', toolFile('a', 'mended', "scope: 'x',"));
    await mounted.says(AGAIN, 2);
    expect([await mounted.call('a'), mounted.changes]).toEqual(['mended', [{ kind: 'tools' }]]);
  });

  it('a folder that is not watched keeps its first content', async () => {
    using folder = folderOf({ 'a.tool.ts': toolFile('a') });
    using mounted = await open(folder);
    const before = mounted.catalog.current();
    using watched = await open(folder, { watch: true });
    folder.write('b.tool.ts', toolFile('b'));
    await watched.says(AGAIN);
    expect(mounted.catalog.current()).toBe(before);
  });

  it('a watched folder that is removed keeps its definitions', async () => {
    const folder = folderOf({ 'a.tool.ts': toolFile('a') });
    using mounted = await open(folder, { watch: true });
    folder[Symbol.dispose]();
    await mounted.says('mounted files not read');
    expect(mounted.names()).toEqual(['a']);
  });
});
