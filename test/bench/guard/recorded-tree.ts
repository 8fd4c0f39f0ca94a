/** Owns the recorded version of the servers: its files, beside the packages that are installed here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/stack.ts';

const git = (...words: readonly string[]): Buffer => execFileSync('git', words, { cwd: ROOT, maxBuffer: 2 ** 28 });

export const newestCommit = (): string => git('rev-parse', 'HEAD').toString().trim();

/** The packages of this repository itself, as links to folders beside `node_modules`. */
const OWN = '@mcp-oauth';

/** A shallow clone has its newest commits only. */
export const hasCommit = (commit: string): boolean =>
  spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT }).status === 0;

export function recordedTree(commit: string): Disposable & { readonly root: string } {
  const files = git('archive', commit);
  const root = mkdtempSync(join(tmpdir(), 'guard-'));
  execFileSync('tar', ['-x', '-C', root], { input: files });
  const packages = join(ROOT, 'node_modules');
  mkdirSync(join(root, 'node_modules'));
  for (const name of readdirSync(packages)) {
    const [from, to] = [join(packages, name), join(root, 'node_modules', name)];
    if (name === OWN) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}
