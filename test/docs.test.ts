/** Proves that the documentation is true: generated files are fresh, links have a target, samples compile and run. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generatedDocs } from '../scripts/generated-docs.ts';
import { LAYERS } from './architecture/layers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const LONGEST_LINE = 120;

/** A page without its code blocks. */
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

/** The visible text of a line, without the targets of links. */
const seen = (line: string): string => line.replace(/\]\([^)]*\)/g, ']');

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  seen(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (path: string): ReadonlySet<string> =>
  new Set([...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)));

const decisions = pages.filter((path) => /^docs\/adr\/\d/.test(path));

describe('documentation', () => {
  it('the generated documents are up to date: npm run docs', async () => {
    for (const [path, text] of await generatedDocs()) expect(read(path), `run npm run docs: ${path}`).toBe(text);
  });

  it.each(pages)('the links of %s lead to existing files', (path) => {
    for (const [, link = ''] of read(path).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(link)) continue;
      expect(existsSync(join(ROOT, dirname(path), link)), link).toBe(true);
    }
  });

  it.each(pages)('the anchors in the links of %s are headings', (path) => {
    for (const [link, page = '', anchor = ''] of withoutCode(read(path)).matchAll(/\]\(([^)#\s:]*)#([^)]+)\)/g)) {
      const target = page ? join(dirname(path), page) : path;
      if (target.endsWith('.md')) expect([...anchorsOf(target)], link).toContain(anchor);
    }
  });

  it.each(pages.filter((path) => path !== 'docs/standards.md'))(
    'the lines of prose in %s have at most 120 characters',
    (path) => {
      const prose = withoutCode(read(path))
        .split('\n')
        .filter((line) => !line.startsWith('|'));
      expect(prose.filter((line) => seen(line).length > LONGEST_LINE)).toEqual([]);
    },
  );

  it.each(pages)('the inline code in %s stands on one line, so that a search finds it', (path) => {
    const broken = withoutCode(read(path))
      .split('\n')
      .filter((line) => line.split('`').length % 2 === 0);
    expect(broken).toEqual([]);
  });

  it('README.md has fewer than 200 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThan(200);
  });

  it.each(decisions)('%s has the four headings of a decision, and is listed', (path) => {
    const [, number = ''] = /(\d{4})-/.exec(path) ?? [];
    const headings = [...read(path).matchAll(/^##? (.+)$/gm)].map(([, heading = '']) => heading);
    expect(headings).toEqual([
      expect.stringMatching(`^${number} [A-Z]`),
      'Context',
      'Decision',
      'Consequences',
      'Alternatives considered',
    ]);
    const [title = ''] = headings;
    expect(read('docs/adr/README.md')).toContain(`| ${Number(number)} | [${title.slice(5)}](${path.slice(9)}) |`);
  });

  it('the tables of SECURITY.md name only existing files', () => {
    for (const [, path = ''] of read('SECURITY.md').matchAll(/`((?:auth-server|mcp-server|shared|test)\/[\w./-]+)`/g)) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });

  it('the TypeScript samples compile, and their tools run', async () => {
    const folder = join(ROOT, 'test/.samples');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const samples = pages.flatMap((path) =>
      [...read(path).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code),
    );
    expect(samples.length).toBeGreaterThan(1);
    const files = samples.map((code, n) => {
      const file = join(folder, `sample-${n}.tool.ts`);
      writeFileSync(file, code.replaceAll("'../protocol/", "'../../mcp-server/src/protocol/"));
      return file;
    });
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.base.json', include: ['*.ts'] }),
    );
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
    const { default: tool } = await import(files[0] ?? '');
    expect(tool.name).toBe('roll');
    const { structured } = await tool.run(tool.input.parse({}), {});
    expect(tool.output.parse(structured).rolled).toBeLessThanOrEqual(6);
    rmSync(folder, { recursive: true });
  });
});

describe('docs/architecture.md', () => {
  const page = read('docs/architecture.md');
  const rows = new Map(
    [...page.matchAll(/^\| `([\w-]+\/src\/[^`]+)` \| [^|]+ \| ([^|]+) \|$/gm)].map(([, path = '', may = '']) => [
      path,
      may,
    ]),
  );
  const sources = globSync('{auth-server,client,mcp-server,shared}/src/*/**/*.{ts,lua}', { cwd: ROOT });

  it('the table of folders has a row for each folder, and no other', () => {
    const folders = new Set(sources.map((path) => dirname(path).replace(/(?<=\/scripts)\/.*/, '')));
    expect([...rows.keys()].sort()).toEqual([...folders].sort());
  });

  it('the table of folders says what each may import', () => {
    for (const [folder, allowed] of Object.entries(LAYERS)) {
      const names = allowed.map((name) => `\`${name}\``).join(' ') || 'nothing';
      expect(rows.get(folder.replace('/', '/src/')), folder).toBe(names);
    }
  });

  it('the table of changes names at least twenty, and files that exist', () => {
    const [changes = ''] = page.split('## Where would I')[1]?.split('\n## ') ?? [];
    const lines = changes.split('\n').filter((line) => /^\| (?!change|---)/.test(line));
    expect(lines.length).toBeGreaterThanOrEqual(20);
    for (const line of lines) {
      const files = [...line.matchAll(/`([\w-]+\/[\w./-]+\.\w+)`/g)].map(([, path = '']) => path);
      expect(files, line).not.toEqual([]);
      for (const path of files) expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });
});
