/** Owns how a script for Redis is read from its `.lua` file, with what it includes: at the start, so that a missing file ends it. */
import { readFileSync } from 'node:fs';

/** A line of its own, with a path from the file in which it stands. */
const INCLUDE = /^--- @include "(.+)"$/gm;

/** @param file such as `new URL('./scripts/put.lua', import.meta.url)` */
export const readLua = (file: URL): string =>
  readFileSync(file, 'utf8').replace(INCLUDE, (_, path: string) => readLua(new URL(path, file)));
