/**
 * Proves that the pages for operators and authors of tools are complete and can be followed: each reason in a log or a
 * metric has a row in docs/troubleshooting.md, and the commands of docs/backup.md and the sample of docs/test-a-tool.md
 * run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { english } from '../auth-server/src/languages/english.ts';
import { declarations as authServer } from '../auth-server/src/metrics.ts';
import { declarations as mcpServer } from '../mcp-server/src/metrics.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The code blocks of one language below a heading. */
function blocksUnder(path: string, heading: string, language: string): readonly string[] {
  const [section = ''] = read(path).split(`\n## ${heading}\n`)[1]?.split(/\n## /) ?? [];
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
}

/** Quoted names in the part of a source file that a pattern finds. */
function namesIn(files: string, part: RegExp, name: RegExp): readonly string[] {
  const texts = globSync(files, { cwd: ROOT }).map((path) => part.exec(read(path))?.[0] ?? '');
  return [...texts.join('\n').matchAll(name)].map(([, found = '']) => found);
}

describe('docs/troubleshooting.md', () => {
  const page = read('docs/troubleshooting.md');
  const FINE = new Set(['ok', 'granted', 'issued', 'created', 'known', 'verified']);

  it.each(
    [...mcpServer, ...authServer].flatMap(({ name, labels = {} }: (typeof mcpServer)[number]) =>
      Object.entries(labels)
        .filter(([label, values]) => ['reason', 'limit', 'result'].includes(label) && typeof values !== 'string')
        .filter(() => !/^mcp_(requests|tool_calls|token_checks)_total$/.test(name))
        .map(([label, values]) => [name, label, values] as const),
    ),
  )('the page says what to do for each value of %s by %s', (name, _label, values) => {
    expect(page, 'the metric').toContain(`\`${name}\``);
    for (const value of values)
      if (!FINE.has(value)) expect(page, value).toMatch(new RegExp(`^\\|[^|]*\`${value}\``, 'm'));
  });

  it('the page says what to do for each reason why the document of a client is not used', () => {
    const reasons = namesIn('auth-server/src/**/*.ts', /^const OUTCOMES = \{[\s\S]*?^\}/m, /^ {2}(\w+): '/gm);
    expect(reasons).toContain('private_address');
    for (const reason of reasons) expect(page, reason).toMatch(new RegExp(`^\\|[^|]*\`${reason}\``, 'm'));
  });

  it('the page says what to do for each title of an error page', () => {
    const titles = Object.entries(english.texts).flatMap(([key, text]) => (key.endsWith('Title') ? [text] : []));
    expect(titles.length).toBeGreaterThan(8);
    for (const title of titles) expect(page, title).toMatch(new RegExp(`^\\|[^|]*${title}`, 'm'));
  });

  it('the page says what to do for each answer of Redis that stops writes', () => {
    const codes = namesIn('shared/src/**/*.ts', /^const WRONG_NODE[\s\S]*?^const NO_WRITES.*$/m, /'([A-Z]+)'/g);
    expect(codes).toContain('READONLY');
    for (const code of codes) expect(page, code).toMatch(new RegExp(`^\\|[^|]*\`${code}\``, 'm'));
  });
});

describe('docs/backup.md', () => {
  beforeEach((context) =>
    context.skip(spawnSync('sqlite3', ['--version']).status !== 0, 'needs sqlite3: apt-get install sqlite3'),
  );

  it('the commands back up a SQLite file in use, and put it back', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'backup-docs-'));
    try {
      mkdirSync(join(cwd, '.data'));
      const open = () => new DatabaseSync(join(cwd, '.data/auth-server.sqlite'));
      using database = open();
      database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('before')");
      const [backup = '', restore = ''] = blocksUnder('docs/backup.md', 'SQLite', 'sh');
      execFileSync('bash', ['-ec', backup], { cwd });
      database.exec("UPDATE t SET x = 'after'");
      database.close();
      execFileSync('bash', ['-ec', restore], { cwd });
      using restored = open();
      expect(restored.prepare('SELECT x FROM t').get()).toEqual({ x: 'before' });
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });
});

describe('docs/test-a-tool.md', () => {
  it('the sample tool passes the sample test', () => {
    const folder = mkdtempSync(join(tmpdir(), 'test-a-tool-docs-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    try {
      const heading = 'The function alone';
      const [tool = ''] = blocksUnder('docs/test-a-tool.md', heading, 'ts');
      const [test = ''] = blocksUnder('docs/test-a-tool.md', heading, 'typescript');
      writeFileSync(join(folder, 'double.tool.ts'), tool);
      writeFileSync(join(folder, 'double.test.ts'), test);
      const tsconfig = { extends: join(ROOT, 'tsconfig.base.json'), include: ['*.ts'] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
      execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
      const output = execFileSync(process.execPath, ['--test', join(folder, 'double.test.ts')], { encoding: 'utf8' });
      expect(output).toMatch(/pass 4\n/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
