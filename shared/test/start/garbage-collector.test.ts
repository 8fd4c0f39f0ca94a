/** Proves that objects of a place in the code are created in the young generation, also after a moment in which all of them survived. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MODULE = fileURLToPath(new URL('../../src/start/garbage-collector.ts', import.meta.url));

/** Creates arrays at one place and keeps them, as a server keeps its requests for the time of a pause. */
const SURVIVAL = `
const make = (n) => [n, n + 0.5];
for (let round = 0; round < 20; round += 1) {
  const kept = [];
  for (let n = 0; n < 200_000; n += 1) kept.push(make(n));
}`;

/** Compiled code no longer counts what survives: how much was counted before depends on the load of the machine. */
const COUNTING = ['--no-opt', '--no-maglev'];

/** @returns what V8 has decided about the places in the code */
function decisions(program: string): string {
  const args = [...COUNTING, '--trace-pretenuring-statistics', '--input-type=module', '--eval', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout;
}

it('V8 moves the place of objects that survive to the old generation, unless a service forbids it', () => {
  expect(decisions(SURVIVAL)).toMatch(/AllocationSite.*undecided => (maybe )?tenure/);
  const forbid = `import { keepObjectsYoung } from ${JSON.stringify(MODULE)};\nkeepObjectsYoung();\n`;
  expect(decisions(forbid + SURVIVAL)).toBe('');
});
