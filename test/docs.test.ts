/** Owns the promise that the documentation is true: generated files are fresh, links lead somewhere, samples compile and run. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generatedDocs } from '../scripts/generated-docs.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

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

  it('the tables of SECURITY.md name only existing files', () => {
    for (const [, path = ''] of read('SECURITY.md').matchAll(/`((?:auth-server|mcp-server|test)\/[\w./-]+)`/g)) {
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
