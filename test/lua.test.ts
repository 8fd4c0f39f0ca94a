/**
 * Proves that each Redis script documents its keys, arguments, result and why it is atomic, and names its arguments at
 * the top.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const files = globSync('*/src/**/*.lua', { cwd: ROOT }).sort();

const partsOf = (file: string) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const [, head = '', code = ''] = /^--\[\[\n(.*?)\n\]\]\n(.*)$/s.exec(text) ?? [];
  return { head, code };
};
const isInclude = (file: string): boolean => file.includes('/includes/');

describe.each(files.filter((file) => !isInclude(file)))('%s', (file) => {
  const { head, code } = partsOf(file);

  it('says in its head which keys and arguments it takes, what it returns, and why it is atomic', () => {
    for (const part of ['KEYS', 'ARGV', 'Returns', 'Atomic'])
      expect(head).toMatch(new RegExp(`^ {2}${part} +\\S`, 'm'));
  });

  it('gives each key and argument one name, at the top', () => {
    const lines = code.split('\n');
    const top = lines.findLastIndex((line) => /^local .*\b(KEYS|ARGV)\[\d+\]/.test(line));
    expect(lines.slice(0, top + 1).every((line) => line.startsWith('local '))).toBe(true);
    expect(lines.slice(top + 1).join('\n')).not.toMatch(/\b(KEYS|ARGV)\[\d+\]/);
    const taken = [...code.matchAll(/\b(?:KEYS|ARGV)\[\d+\]/g)].map(([name]) => name);
    expect(taken).toEqual([...new Set(taken)]);
  });
});

it.each(files.filter(isInclude))('%s says in its head what it expects and what it defines', (file) => {
  const { head, code } = partsOf(file);
  for (const part of ['Expects', 'Defines']) expect(head).toMatch(new RegExp(`^ {2}${part} +\\S`, 'm'));
  expect(code).not.toMatch(/\b(KEYS|ARGV)\b/);
});

it('scripts for Redis are in files of their own', () => {
  expect(files.length).toBeGreaterThan(20);
  const sources = globSync('*/src/**/*.ts', { cwd: ROOT });
  expect(sources.filter((file) => /redis\.call\(/.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});
