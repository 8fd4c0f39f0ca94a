/** Proves that a script is read together with its includes, each path relative to the file that includes it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readLua } from '@mcp-oauth/shared/redis/lua';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder: string;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const read = (name: string) => readLua(pathToFileURL(join(folder, name)));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lua-'));
  mkdirSync(join(folder, 'streams'));
  mkdirSync(join(folder, 'includes'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('an include is replaced by its file, also inside an include', () => {
  write('streams/one.lua', 'local a\n--- @include "../includes/two.lua"\nreturn a');
  write('includes/two.lua', '--- @include "three.lua"\nlocal b');
  write('includes/three.lua', "local c = '$&'");
  expect(read('streams/one.lua')).toBe("local a\nlocal c = '$&'\nlocal b\nreturn a");
});

it('a missing file is an error at the start', () => {
  write('streams/one.lua', '--- @include "../includes/two.lua"');
  expect(() => read('streams/one.lua')).toThrow(/ENOENT/);
});
