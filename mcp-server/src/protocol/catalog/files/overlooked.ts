/**
 * Owns what lies in a folder and is not read: files that were surely meant to be, each with what would have it read, and
 * whatever else is there, so that nothing is left aside without a word.
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../catalog.ts';
import { KINDS } from './source.ts';

/** Levels below the folder that are looked at. */
const DEPTH = 4;

/** Entries of one folder that are looked at. */
const MOST = 1_000;

const isScript = (name: string): boolean => /\.[cm]?[jt]sx?$/i.test(name) && !/\.d\.[cm]?ts$/i.test(name);

/** `x.tools.ts`, `x.tool.mjs`, `X.Tool.TS`; `tool.ts` and `x-tool.ts` may as well help others. */
const MEANT = new RegExp(`.\\.(${KINDS.join('|')})s?\\.[cm]?[jt]sx?$`, 'i');

/** What a definition looks like, whatever its file is called. */
const DEFINES = new RegExp(`^\\s*export default define(${KINDS.join('|')})\\b`, 'im');

/** @returns why a file of the folder itself is not read, though its name or its text says that it is a definition */
export async function misnamed(folder: string, name: string): Promise<string | undefined> {
  if (!isScript(name) || name.startsWith('.')) return undefined;
  const [, kind] = MEANT.exec(name) ?? DEFINES.exec(await readFile(join(folder, name), 'utf8').catch(() => '')) ?? [];
  const its = kind?.toLowerCase();
  return its && `it is not read: the name of a ${its} has to end in .${its}.ts or .${its}.js`;
}

/** @returns a problem for each definition that lies below the folder */
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

const BELOW = 'it is not read: definitions have to lie in TOOLS_DIR itself, and this one lies in a folder below';
