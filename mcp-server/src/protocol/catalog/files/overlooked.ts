/**
 * Owns the detection of files that were probably meant as definitions but are not read, each with a hint, and the
 * list of other files, so that no file is ignored silently.
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../catalog.ts';
import { KINDS } from './source.ts';

/** Maximum depth of folders that are searched. */
const DEPTH = 4;

/** Maximum number of entries of one folder that are searched. */
const MOST = 1_000;

const isScript = (name: string): boolean => /\.[cm]?[jt]sx?$/i.test(name) && !/\.d\.[cm]?ts$/i.test(name);

/**
 * Matches `x.tools.ts`, `x.tool.mjs`, `X.Tool.TS`; files like `tool.ts` and `x-tool.ts` may be modules that others
 * import.
 */
const MEANT = new RegExp(`.\\.(${KINDS.join('|')})s?\\.[cm]?[jt]sx?$`, 'i');

/** Text that only a definition contains, whatever the name of its file. */
const DEFINES = new RegExp(`^\\s*export default define(${KINDS.join('|')})\\b`, 'im');

/** @returns why a file in the folder itself is not read although its name or its text looks like a definition */
export async function misnamed(folder: string, name: string): Promise<string | undefined> {
  if (!isScript(name) || name.startsWith('.')) return undefined;
  const [, kind] = MEANT.exec(name) ?? DEFINES.exec(await readFile(join(folder, name), 'utf8').catch(() => '')) ?? [];
  const its = kind?.toLowerCase();
  return its && `it is not read: the name of a ${its} has to end in .${its}.ts or .${its}.js`;
}

/** @returns a problem for each definition in a subfolder */
export async function misplaced(
  folder: string,
  entries: readonly Dirent[],
  depth = DEPTH,
): Promise<readonly Problem[]> {
  const folders = entries
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .filter((entry) => entry.isDirectory());
  const found = await Promise.all(folders.map(({ name }) => below(join(folder, name), depth)));
  return found.flat();
}

async function below(folder: string, depth: number): Promise<readonly Problem[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const looked = entries.slice(0, MOST);
  const own = looked
    .filter((entry) => !entry.isDirectory() && isScript(entry.name) && MEANT.test(entry.name))
    .map(({ name }) => ({ from: join(folder, name), reason: BELOW }));
  return depth > 1 ? [...own, ...(await misplaced(folder, looked, depth - 1))] : own;
}

const BELOW = 'it is not read: definitions must be in TOOLS_DIR itself, and this one is in a subfolder';
