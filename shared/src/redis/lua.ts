/** Owns how a script for Redis is read from its `.lua` file, with its includes: at the start, so that a missing file ends the start. */
import { readFileSync } from 'node:fs';

/** An include: a separate line with a path relative to the file. */
const INCLUDE = /^--- @include "(.+)"$/gm;

/** @param file such as `new URL('./scripts/put.lua', import.meta.url)` */
export const readLua = (file: URL): string =>
  readFileSync(file, 'utf8').replace(INCLUDE, (_, path: string) => readLua(new URL(path, file)));
