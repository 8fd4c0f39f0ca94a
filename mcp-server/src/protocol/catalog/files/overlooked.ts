/**
 * Owns what lies in a folder and is not read: files that were surely meant to be, each with what would have it read, and
 * whatever else is there, so that nothing is left aside without a word.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../catalog.ts';
import { KINDS } from './source.ts';

/** Levels below the folder that are looked at. */
const DEPTH = 4;

/** Entries of one folder that are looked at. */
const MOST = 1_000;

const isScript = (name: string): boolean => /\.[cm]?[jt]sx?$/i.test(name) && !/\.d\.[cm]?ts$/i.test(name);

/** `x.tools.ts`, `x.tool.mjs`, `x-tool.ts`, `tool.ts`, `X.Tool.TS`; a test of one is none. */
const MEANT = new RegExp(`(?:^|[._-])(${KINDS.join('|')})s?\\.[cm]?[jt]sx?$`, 'i');

/** @returns why a file of the folder itself is not read, though its name says that it is a definition */
export function misnamed(name: string): string | undefined {
  const kind = isScript(name) && !name.startsWith('.') ? MEANT.exec(name)?.[1]?.toLowerCase() : undefined;
  return kind && `it is not read: the name of a ${kind} has to end in .${kind}.ts or .${kind}.js`;
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
