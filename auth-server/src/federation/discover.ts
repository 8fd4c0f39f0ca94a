/** Owns how connectors are found: every file of a folder with a suffix, its default export, in order. */
import { readdir } from 'node:fs/promises';
import { StartError } from '@mcp-oauth/shared/errors';

export interface Discovered<T> {
  readonly file: URL;
  readonly value: T;
}

/**
 * Imports `<folder>/*<suffix>.ts|.js` and checks each default export.
 * @param folder URL of the folder, with a trailing slash
 * @param accept checks a default export
 * @throws StartError with the name of the file, if it cannot be loaded or is not accepted
 */
export async function discover<T>(
  folder: URL,
  suffix: string,
  accept: (candidate: unknown) => candidate is T,
): Promise<readonly Discovered<T>[]> {
  const pattern = (name: string) => name.endsWith(`${suffix}.ts`) || name.endsWith(`${suffix}.js`);
  const names = (await readdir(folder)).filter(pattern).sort();
  return Promise.all(names.map((name) => load(new URL(name, folder), suffix, accept)));
}

async function load<T>(file: URL, suffix: string, accept: (candidate: unknown) => candidate is T) {
  const module = await import(file.href).catch((cause: unknown) => {
    throw new StartError(`${file.pathname} can't be loaded: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  });
  if (!accept(module.default)) throw new StartError(`${file.pathname} does not export a ${suffix.slice(1)} as default`);
  return { file, value: module.default as T };
}
