/** Owns how figures are shown and kept: a line of Markdown for each server, and a file in test/bench/results. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/stack.ts';

export const print = (...cells: readonly (string | number)[]): void => {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
};

/** The heads of the columns; those of `numbers` are aligned to the right. */
export function printHead(texts: readonly string[], numbers: readonly string[]): void {
  print(...texts, ...numbers);
  print(...texts.map(() => '---'), ...numbers.map(() => '---:'));
}

const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();

/** Writes the figures with what they depend on: the machine, the version of Node and the commit. */
export function keep(bench: string, figures: Readonly<Record<string, unknown>>): void {
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${release()}`,
  };
  const about = { bench, date: new Date().toISOString().slice(0, 16), commit: git('rev-parse', '--short', 'HEAD') };
  const text = JSON.stringify({ ...about, node: process.version, machine, ...figures }, rounded, 2);
  const folder = join(ROOT, 'test/bench/results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${bench}.json`), `${text}\n`);
}

/** Four digits are more than the figures are good for. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
